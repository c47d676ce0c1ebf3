// SPDX-License-Identifier: Apache-2.0
// A client that speaks Redis's protocol: commands in a pipeline, answered in their order, each seeing what those before it did.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/ensure.h"
#include "base/ring.h"
#include "commands/encoding.h"
#include "commands/request.h"
#include "commands/state_machine.h"
#include "protocol/resp_decoder.h"
#include "protocol/resp_encoder.h"
#include "server/client_connection.h"
#include "server/client_services.h"
#include "server/resp/acl_selector.h"
#include "server/resp/command.h"
#include "server/resp/tracking.h"
#include "server/resp/transaction.h"

namespace tanist::server {

namespace resp {

/// Answers a write; only called when it was executed, with kDone or kConditionFailed.
using WriteAnswer = std::function<void(RespSession& session, protocol::RespEncoder& reply, const commands::Outcome& outcome)>;
/// Answers a read from the state; an error is the store's and ends the process.
using ReadAnswer = std::function<Status(RespSession& session, protocol::RespEncoder& reply, Arguments arguments)>;
/// A read as a request that is logged, for one that stands in a pipeline behind writes: executed in its place among them.
struct LoggedRead {
    commands::Request (*request)(RespSession& session, Arguments arguments);
    WriteAnswer answer;
};

}  // namespace resp

class RespSession final : public ClientConnection, public resp::Subscriber {
public:
    RespSession(tcp::socket socket, ClientServices& services, std::uint64_t id);

    // -- for the handlers of commands: each command calls one of these, once ------------------------------------------------------
    /// Answers at once, in its place: `encode(protocol::RespEncoder&)`.
    template <class Encode>
    void reply(Encode&& encode);
    void reply_ok() {
        reply([](protocol::RespEncoder& to) { to.ok(); });
    }
    void reply_error(std::string_view text);
    /// `says_nothing_of_state`: the answer is the same whatever the state was (S20).
    void write(commands::Request request, resp::WriteAnswer answer, bool says_nothing_of_state = false);
    /// The same for a request of one command, which is logged from where its words lie.
    void write(const commands::CommandView& command, resp::WriteAnswer answer, bool says_nothing_of_state = false);
    /// Without `logged`, the read waits until the writes before it are answered.
    void read(resp::Arguments arguments, const resp::ReadAnswer& answer, const resp::LoggedRead* logged = nullptr);
    /// A read that takes several turns of the loop: `start` is called once the state is fresh enough, and unblocks the session at the end,
    /// after record_time().
    using Start = std::function<void(RespSession& session)>;
    void read_for_long(resp::Arguments arguments, const Start& start);
    /// What it sends back tells of the state as it is now.
    void note_state_seen();
    /// GET: looked up together with those next to it in the pipeline.
    void get(resp::Arguments arguments);
    /// While reads wait for the state to be fresh enough: keeps the command until they are answered, and says so.
    [[nodiscard]] bool waits_for_reads(resp::Arguments arguments);
    /// Before a GET is refused at once: answers those before it; where there is no room for that, keeps the command, and says so.
    [[nodiscard]] bool waits_for_gets(resp::Arguments arguments);
    [[nodiscard]] resp::Transaction& transaction() { return transaction_; }
    [[nodiscard]] const resp::Transaction& transaction() const { return transaction_; }
    /// Runs a command that answers at once, and returns what it answered, encoded.
    [[nodiscard]] std::string capture(resp::Arguments arguments);
    [[nodiscard]] bool is_capturing() const { return capture_ != nullptr; }
    /// A queued command has run as part of a transaction, and this is its answer, encoded.
    void count_executed(const resp::CommandTable::Row& row, std::string_view answer);
    /// Takes nothing more, and ends the connection when all is answered.
    void end_after_replies() { quitting_ = true; }
    /// What nobody asked for in this moment: stands behind what was asked before.
    template <class Encode>
    void push(Encode&& encode);

    [[nodiscard]] ClientServices& services() { return services_; }
    [[nodiscard]] std::uint64_t id() const { return id_; }
    [[nodiscard]] protocol::RespVersion version() const { return version_; }
    void set_version(protocol::RespVersion version) { version_ = version; }
    [[nodiscard]] Rank last_write() const { return last_write_; }  ///< its newest that was answered
    [[nodiscard]] const resp::CommandTable::Row* last_row() const { return ran_; }
    [[nodiscard]] std::string_view user_name() const { return user_->name; }
    /// False: a wrong name or password.
    [[nodiscard]] bool authenticate(std::string_view user, std::string_view password);
    /// Why this user may not run these words, which were queued, as an error.
    [[nodiscard]] std::optional<std::string> denied_in_transaction(const resp::CommandTable::Row& row, resp::Arguments arguments);
    void users_changed(bool anew) override;
    void tick() override;
    [[nodiscard]] bool needs_authentication() const { return !authenticated_ && !services_.acl.is_open(); }
    void set_read_level(ReadLevel level) { read_level_ = level; }
    void set_write_level(WriteLevel level) { write_level_ = level; }
    std::string name, library, library_version;  ///< CLIENT SETNAME and SETINFO
    bool is_monitor = false;

    [[nodiscard]] std::optional<resp::TrackingMode>& tracking() { return tracking_; }
    [[nodiscard]] const std::optional<resp::TrackingMode>& tracking() const { return tracking_; }
    /// CLIENT TRACKING from here on; nullopt: off.
    void track(std::optional<resp::TrackingMode> mode);
    /// The command that is being run is one whose keys are to be remembered.
    [[nodiscard]] bool remembers() const { return tracking_ && tracking_->remembers(); }
    /// These words have been answered, and read their keys.
    void remember(const resp::CommandTable::Row& row, resp::Arguments arguments);

    /// A command that kept the node busy for so long in all, over several turns.
    void record_time(const resp::CommandTable::Row& row, resp::Arguments arguments, std::uint64_t microseconds);
    /// A command that kept its client waiting for so long, if that is slow.
    void record_slow(const resp::CommandTable::Row& row, resp::Arguments arguments, std::uint64_t microseconds);

    // -- for commands that are not answered at once --------------------------------------------------------------------------------
    /// True: writes before this command are not answered yet; it is run again once they are, and must do nothing now.
    [[nodiscard]] bool waits_for_its_writes(resp::Arguments arguments);
    /// Takes the command's place among the answers, and nothing behind it is taken until unblock().
    void block();
    void unblock(const std::function<void(protocol::RespEncoder&)>& encode);
    [[nodiscard]] std::shared_ptr<RespSession> shared_session() { return std::static_pointer_cast<RespSession>(shared_from_this()); }
    [[nodiscard]] bool is_blocked() const { return blocked_.has_value(); }
    /// A command of it waits for the end of CLIENT PAUSE.
    [[nodiscard]] bool waits_for_unpause() const { return !held_.empty() && is_paused(); }

    /// CLIENT REPLY: nothing is answered, or not to the next command.
    enum class Replies : std::uint8_t { kOn, kOff, kSkipNext };
    void set_replies(Replies replies);
    /// As if it had just connected; the client keeps its id.
    void reset();

    void take_message(std::string_view pattern, std::string_view channel, std::string_view message) override;
    void take_shard_message(std::string_view channel, std::string_view message) override;

    void on_written(std::uint64_t ticket, const WriteResult& result) override;
    void on_read_ready(std::uint64_t ticket) override;
    void on_failed(std::uint64_t ticket, const Failure& failure) override;
    [[nodiscard]] bool follows_redirects() const override { return false; }

protected:
    [[nodiscard]] bool take_input(protocol::ReadBuffer& input) override;
    void answer_shared(protocol::ReadBuffer& input) override;
    void settle_shared() override;
    [[nodiscard]] std::size_t outstanding() const override { return slots_.size(); }
    [[nodiscard]] bool holds_back() const override { return blocked_ || (!held_.empty() && must_hold()); }
    [[nodiscard]] bool may_part() const override {
        return !transaction_.is_open && transaction_.watched.empty() && held_.empty() && get_ends_.empty();
    }
    [[nodiscard]] std::uint64_t requests_taken() const override { return taken_; }
    void on_closed() override;
    [[nodiscard]] std::size_t output_bytes_max() const override;
    [[nodiscard]] std::size_t kept_back() const override { return kept_back_; }

private:
    /// The place of one answer, from the first that is still open on. Its number, counted since the connection began, is its ticket.
    struct Slot {
        bool ready = false;
        bool is_silent = false;  ///< CLIENT REPLY: nothing is said
        protocol::RespVersion version = protocol::RespVersion::k2;
        const resp::CommandTable::Row* row = nullptr;  ///< whose answer it is
        std::string reply;                             ///< when ready, and another stands before it
        bool wants_all = false;                        ///< a write at level `all`
        resp::WriteAnswer write_answer = nullptr;
        resp::ReadAnswer read_answer = nullptr;  ///< a read that waits; with write_answer: one that is logged
        std::vector<std::string> arguments;      ///< of the read
        bool remembers = false;                  ///< of the read: CLIENT TRACKING
        Start start = nullptr;                   ///< a read for long that waits
    };

    void dispatch(resp::Arguments arguments);
    /// The row that runs these words: of the subcommand, where there is one of that name. Null: unknown. Sets last_row_.
    const resp::CommandTable::Row* find_row(resp::Arguments arguments);
    void end_at_once();
    /// Listens, watches and tracks no more.
    void leave_port();
    template <class Encode>
    void encode_answer(std::string& out, Encode&& encode);
    /// Counts an answer that is an error: null where no command had begun to run.
    void note_answer(const resp::CommandTable::Row* row, std::string_view answer);
    /// Runs the command, if its words are as they must be; answers an error otherwise.
    void run(const resp::CommandTable::Row& row, resp::Arguments arguments);
    /// Refused commands of a transaction that is open end it (EXECABORT).
    void refuse(const resp::CommandTable::Row* row, std::string_view error);
    void queue(const resp::CommandTable::Row& row, resp::Arguments arguments);
    /// What is held waits for answers, not for room.
    [[nodiscard]] bool must_hold() const { return writes_pending_ > 0 || reads_waiting_ > 0 || blocked_ || is_paused(); }
    /// Why the command may not run now; nullopt: it may.
    struct Refusal {
        std::string error;
        std::optional<resp::Denial> denial;
    };
    [[nodiscard]] std::optional<Refusal> why_not(const resp::CommandTable::Row& row, resp::Arguments arguments) const;
    void note_denial(const resp::Denial& denial, bool in_transaction);
    void reject(const resp::CommandTable::Row& row, std::string_view error);
    /// To be run again later.
    void hold(resp::Arguments arguments);
    /// CLIENT PAUSE holds the command that waits.
    [[nodiscard]] bool is_paused() const;
    [[nodiscard]] bool is_paused(const resp::CommandTable::Row& row) const;
    void run_monitored(const resp::CommandTable::Row& row, resp::Arguments arguments);
    void show_to_monitors(resp::Arguments arguments);
    void record(const resp::CommandTable::Row& row, resp::Arguments arguments);
    /// Microseconds since it was called last.
    [[nodiscard]] std::uint64_t take_time();
    [[nodiscard]] const config::OutputLimits::Limit& output_limit() const;
    void end_caching(const resp::CommandTable::Row& row);
    [[nodiscard]] ReadTerms read_terms() const;
    [[nodiscard]] ReadGate::Admission admit(Failure& failure);
    /// Takes the next place among the answers for a write, and sends it off.
    template <class Append>
    void submit_write(resp::WriteAnswer answer, bool says_nothing_of_state, const Append& append);
    void read_through_log(resp::Arguments arguments, const resp::ReadAnswer& answer, const resp::LoggedRead& logged);
    void gather_get(std::string_view key);
    /// False: the output is full, and some wait for room.
    bool answer_gets();
    /// Encodes the answers of those gathered, as far as there is room for them: how many they were. The error is the store's.
    [[nodiscard]] Result<std::size_t> look_up_gets();
    /// All of them have been answered: how long they, and what came before them, took.
    [[nodiscard]] std::uint64_t forget_gets();
    /// Nothing but reads of the state stands between this session and its client.
    [[nodiscard]] bool may_share() const;
    /// False: it is the loop's to answer.
    bool answer_shared(resp::Arguments arguments);
    bool answer_shared_gets();
    void answer_read(std::uint64_t ticket);
    void run_read(protocol::RespEncoder& to, const resp::ReadAnswer& answer, resp::Arguments arguments);
    [[nodiscard]] Slot& open_slot() { return slots_.push_back(Slot{.is_silent = is_silent_, .version = version_, .row = running_}); }
    /// Encodes the answer of an open slot, and lets go of all that are ready at the front.
    template <class Encode>
    void fill(std::uint64_t ticket, Encode&& encode);
    /// An answer that has been encoded: `kept` where others stand before it, else all that are ready from there on have their turn.
    void keep_or_let_go(std::uint64_t ticket, std::string kept);
    void reply_failure(const Failure& failure);

    ClientServices& services_;
    const std::uint64_t id_;
    std::shared_ptr<resp::AclUser> user_;
    bool authenticated_;
    bool has_said_password_ = false;
    protocol::RespDecoder decoder_;
    protocol::RespVersion version_ = protocol::RespVersion::k2;
    std::optional<ReadLevel> read_level_;
    std::optional<WriteLevel> write_level_;
    Rank last_write_;
    Rank token_;  ///< the newest that this connection has seen: sessions are connections here
    bool quitting_ = false;
    std::uint64_t taken_ = 0;  ///< commands

    std::optional<std::uint64_t> blocked_;      ///< the ticket that is waited for
    bool is_off_ = false, skips_next_ = false;  ///< CLIENT REPLY
    bool is_silent_ = false;                    ///< of the command that is being run
    std::uint64_t softly_full_ms_ = 0;          ///< since when it has more unsent than it may for long; 0: it has not
    std::uint64_t clock_us_ = 0;                ///< when the command before ended

    std::string last_name_;  ///< and its row: pipelines repeat one command
    const resp::CommandTable::Row* last_row_ = nullptr;
    const resp::CommandTable::Row* running_ = nullptr;  ///< whose handler is being called
    const resp::CommandTable::Row* ran_ = nullptr;      ///< the newest, its subcommand where it has one

    Ring<Slot> slots_;
    std::size_t kept_back_ = 0;       ///< bytes of the slots that are ready, and what these take themselves
    std::uint64_t first_ticket_ = 0;  ///< of slots_.front()
    std::size_t writes_pending_ = 0;  ///< slots with a write_answer that are not ready
    std::size_t reads_waiting_ = 0;   ///< slots with only a read_answer that are not ready
    std::vector<std::string> held_;   ///< a command that waits until they are, or until there is room
    bool left_to_loop_ = false;       ///< by answer_shared(), held_: it has not been looked at yet

    resp::Transaction transaction_;
    std::optional<resp::TrackingMode> tracking_;
    std::set<std::string>* read_late_ = nullptr;  ///< takes the keys to be remembered of an answer that was kept back
    bool is_timed_later_ = false;                 ///< the command that is being run
    std::string* capture_ = nullptr;              ///< takes the answer instead of the client

    static constexpr std::size_t kGetsPerLook = 64;
    std::string get_keys_;  ///< of the GETs not yet looked up, one behind the other
    std::vector<std::size_t> get_ends_;
    std::size_t gets_answered_ = 0;  ///< of these

    /// What answer_shared() has answered, to be counted by settle_shared(): GETs that were looked up together, or one other read.
    struct Served {
        const resp::CommandTable::Row* row = nullptr;
        std::uint64_t calls = 1, microseconds = 0;
        std::vector<std::string> words = {};  ///< where it was slow
    };
    std::vector<Served> served_;
    std::uint64_t gets_shared_ = 0;      ///< by answer_shared(), answered or not
    std::optional<Error> shared_fault_;  ///< the store's
};

template <class Encode>
void RespSession::reply(Encode&& encode) {
    std::string unsaid;
    if (capture_ != nullptr || is_silent_) return encode_answer(capture_ != nullptr ? *capture_ : unsaid, encode);
    if (slots_.empty()) {
        encode_answer(output(), encode);
    } else {
        Slot& slot = open_slot();
        slot.ready = true;
        encode_answer(slot.reply, encode);
        kept_back_ += sizeof slot + slot.reply.size();
    }
    replied();
}

template <class Encode>
void RespSession::encode_answer(std::string& out, Encode&& encode) {
    const std::size_t begin = out.size();
    protocol::RespEncoder to(out, version_);
    encode(to);
    note_answer(running_, std::string_view(out).substr(begin));
}

template <class Encode>
void RespSession::fill(std::uint64_t ticket, Encode&& encode) {
    const std::size_t place = ticket - first_ticket_;
    const auto [version, is_silent, row] = std::tuple(slots_[place].version, slots_[place].is_silent, slots_[place].row);
    ENSURE(!slots_[place].ready);
    slots_[place].ready = true;
    const bool goes_out = place == 0 && is_open() && !is_silent;
    std::string kept;
    std::string& out = goes_out ? output() : kept;
    const std::size_t begin = out.size();
    protocol::RespEncoder to(out, version);
    encode(to);
    note_answer(row, std::string_view(out).substr(begin));
    keep_or_let_go(ticket, std::move(kept));
}

template <class Encode>
void RespSession::push(Encode&& encode) {
    if (!is_open()) return;
    const bool was_silent = std::exchange(is_silent_, false);
    reply(std::forward<Encode>(encode));
    is_silent_ = was_silent;
}

}  // namespace tanist::server
