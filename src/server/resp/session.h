// SPDX-License-Identifier: Apache-2.0
// A client that speaks Redis's protocol: commands in a pipeline, answered in their order, each seeing what those before it did.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/request.h"
#include "commands/state_machine.h"
#include "protocol/resp_decoder.h"
#include "protocol/resp_encoder.h"
#include "server/client_connection.h"
#include "server/client_services.h"
#include "server/resp/command.h"
#include "server/resp/transaction.h"

namespace tanist::server {

namespace resp {

/// Answers a write; only called when it was executed, with kDone or kConditionFailed.
using WriteAnswer = std::function<void(RespSession& session, protocol::RespEncoder& reply, const commands::Outcome& outcome)>;
/// Answers a read from the state; an error is the store's and ends the process.
using ReadAnswer = Status (*)(RespSession& session, protocol::RespEncoder& reply, Arguments arguments);
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
    void reply_error(std::string_view text) {
        reply([&](protocol::RespEncoder& to) { to.error(text); });
    }
    /// `says_nothing_of_state`: the answer is the same whatever the state was (S20).
    void write(commands::Request request, resp::WriteAnswer answer, bool says_nothing_of_state = false);
    /// Without `logged`, the read waits until the writes before it are answered.
    void read(resp::Arguments arguments, resp::ReadAnswer answer, const resp::LoggedRead* logged = nullptr);
    /// GET: looked up together with those next to it in the pipeline.
    void get(resp::Arguments arguments);
    /// While reads wait for the state to be fresh enough: keeps the command until they are answered, and says so.
    [[nodiscard]] bool waits_for_reads(resp::Arguments arguments);
    [[nodiscard]] resp::Transaction& transaction() { return transaction_; }
    /// Runs a command that answers at once, and returns what it answered, encoded.
    [[nodiscard]] std::string capture(resp::Arguments arguments);
    /// Answers OK and ends the connection behind it.
    void quit();
    /// What nobody asked for in this moment: stands behind what was asked before.
    template <class Encode>
    void push(Encode&& encode);

    [[nodiscard]] ClientServices& services() { return services_; }
    [[nodiscard]] std::uint64_t id() const { return id_; }
    [[nodiscard]] protocol::RespVersion version() const { return version_; }
    void set_version(protocol::RespVersion version) { version_ = version; }
    void set_read_level(ReadLevel level) { read_level_ = level; }
    void set_write_level(WriteLevel level) { write_level_ = level; }
    std::string name;  ///< CLIENT SETNAME

    void take_message(std::string_view pattern, std::string_view channel, std::string_view message) override;

    void on_written(std::uint64_t ticket, const WriteResult& result) override;
    void on_read_ready(std::uint64_t ticket) override;
    void on_failed(std::uint64_t ticket, const Failure& failure) override;

protected:
    [[nodiscard]] bool take_input(protocol::ReadBuffer& input) override;
    [[nodiscard]] std::size_t outstanding() const override { return slots_.size(); }
    [[nodiscard]] bool holds_back() const override { return !held_.empty() && must_hold(); }
    void on_closed() override { services_.pubsub.unsubscribe_all(*this); }

private:
    /// The place of one answer, from the first that is still open on. Its number, counted since the connection began, is its ticket.
    struct Slot {
        bool ready = false;
        protocol::RespVersion version = protocol::RespVersion::k2;
        std::string reply;       ///< when ready, and another stands before it
        bool wants_all = false;  ///< a write at level `all`
        resp::WriteAnswer write_answer = nullptr;
        resp::ReadAnswer read_answer = nullptr;  ///< a read that waits; with write_answer: one that is logged
        std::vector<std::string> arguments;      ///< of the read
    };

    void dispatch(resp::Arguments arguments);
    /// Runs the command, if its words are as they must be; answers an error otherwise.
    void run(const resp::CommandTable::Row& row, resp::Arguments arguments);
    /// Refused commands of a transaction that is open end it (EXECABORT).
    void refuse(const resp::CommandTable::Row* row, std::string_view error);
    void queue(const resp::CommandTable::Row& row, resp::Arguments arguments);
    /// What is held waits for answers, not for room.
    [[nodiscard]] bool must_hold() const { return writes_pending_ > 0 || reads_waiting_ > 0; }
    /// Why the command may not run now; nullopt: it may.
    [[nodiscard]] std::optional<std::string> why_not(const resp::CommandTable::Row& row) const;
    [[nodiscard]] ReadGate::Admission admit(Failure& failure);
    void read_through_log(resp::Arguments arguments, resp::ReadAnswer answer, const resp::LoggedRead& logged);
    /// False: the output is full, and some wait for room.
    bool answer_gets();
    void answer_read(std::uint64_t ticket);
    void run_read(protocol::RespEncoder& to, resp::ReadAnswer answer, resp::Arguments arguments);
    [[nodiscard]] Slot& open_slot() { return slots_.emplace_back(Slot{.version = version_}); }
    /// Encodes the answer of an open slot, and lets go of all that are ready at the front.
    template <class Encode>
    void fill(std::uint64_t ticket, Encode&& encode);
    void reply_failure(const Failure& failure);

    ClientServices& services_;
    const std::uint64_t id_;
    protocol::RespDecoder decoder_;
    protocol::RespVersion version_ = protocol::RespVersion::k2;
    std::optional<ReadLevel> read_level_;
    std::optional<WriteLevel> write_level_;
    Rank token_;  ///< the newest that this connection has seen: sessions are connections here
    bool quitting_ = false;

    std::string last_name_;  ///< and its row: pipelines repeat one command
    const resp::CommandTable::Row* last_row_ = nullptr;

    std::deque<Slot> slots_;
    std::uint64_t first_ticket_ = 0;  ///< of slots_.front()
    std::size_t writes_pending_ = 0;  ///< slots with a write_answer that are not ready
    std::size_t reads_waiting_ = 0;   ///< slots with only a read_answer that are not ready
    std::vector<std::string> held_;   ///< a command that waits until they are, or until there is room

    resp::Transaction transaction_;
    std::string* capture_ = nullptr;  ///< takes the answer instead of the client

    std::string get_keys_;  ///< of the GETs not yet looked up, one behind the other
    std::vector<std::size_t> get_ends_;
    std::size_t gets_answered_ = 0;  ///< of these
};

template <class Encode>
void RespSession::reply(Encode&& encode) {
    if (capture_ != nullptr) {
        protocol::RespEncoder to(*capture_, version_);
        return encode(to);
    }
    if (slots_.empty()) {
        protocol::RespEncoder to(output(), version_);
        encode(to);
    } else {
        Slot& slot = open_slot();
        slot.ready = true;
        protocol::RespEncoder to(slot.reply, version_);
        encode(to);
    }
    replied();
}

template <class Encode>
void RespSession::push(Encode&& encode) {
    if (is_open()) reply(std::forward<Encode>(encode));
}

}  // namespace tanist::server
