// SPDX-License-Identifier: Apache-2.0
#include "commands/state_machine.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "base/shared_count.h"
#include "commands/encoding.h"
#include "commands/families.h"
#include "commands/keyspace.h"
#include "commands/layout.h"
#include "commands/redis/call.h"
#include "commands/row_keys.h"
#include "commands/sessions.h"

namespace tanist::commands {
namespace {

/// One write to the store takes entries until it has this many bytes: apply() of a long row of large entries stays in bounds.
constexpr std::size_t kWriteBytes = limits::kEntryBytesMax;
/// Keys of one entry that are read in one go, before any is needed.
constexpr std::size_t kPrefetchKeysMax = 4096;
constexpr std::size_t kBacklogBytes = limits::kMiB / 2;  ///< of entries to apply at once: more than a turn of the loop brings
/// Whoever applies waits as long for the keys of a backlog to be looked for together, in each step of warm(), of which there is one where
/// memory is not very scarce; what is left is looked for one entry after the other.
constexpr std::chrono::milliseconds kBacklogTimeMax{100};
/// Keys that one entry removes because they are due. The rest is not seen any more, and removed by the next ones.
constexpr std::size_t kExpiredPerEntryMax = 1000;

/// The command of Redis's that does the same.
std::span<const std::string_view> redis_name_of(CommandKind kind) {
    static constexpr std::array<std::string_view, 3> kSet{"SET"};
    static constexpr std::array<std::string_view, 1> kDel{"DEL"}, kIncrBy{"INCRBY"}, kGet{"GET"};
    switch (kind) {
        case CommandKind::kPut: return kSet;
        case CommandKind::kDelete: return kDel;
        case CommandKind::kIncrement: return kIncrBy;
        case CommandKind::kGet:
        case CommandKind::kRedis: break;
    }
    return kGet;
}

/// The earlier of two times of which 0 is none.
std::uint64_t earlier(std::uint64_t a, std::uint64_t b) { return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b); }

/// The keys of the rows of `keys`: all in one piece of memory, `text`, so no allocation a key.
std::vector<std::string_view> data_keys(std::span<const std::string_view> keys, std::string& text) {
    std::size_t bytes = keys.size();
    for (const auto key : keys) bytes += key.size();
    text.reserve(bytes);
    std::vector<std::string_view> rows;
    rows.reserve(keys.size());
    for (const auto key : keys) {
        const std::size_t begin = text.size();
        layout::append_data_key(text, key);
        rows.push_back(std::string_view(text).substr(begin));
    }
    return rows;
}

class Machine final : public StateMachine {
public:
    explicit Machine(store::Store& store) : store_(store), keys_(store) {}

    Status apply(std::span<const Entry> entries, std::vector<Applied>* out) override;
    void warm(const NextEntries& next, const TimeLeft& time_left) override;

    store::Position position() const override { return position_; }
    const std::optional<Membership>& membership() const override { return membership_; }
    std::uint64_t next_due() const override { return earlier(sessions_.next_due(), keys_.first_deadline()); }
    std::size_t sessions() const override { return sessions_.size(); }
    const KeyCounts& key_counts() const override { return keys_.counts(); }
    const Users& users() const override { return users_.all(); }
    KeyStatistics statistics() const override { return {told_.hits.value(), told_.misses.value(), keys_.expired()}; }
    void watch(std::vector<KeyEvent>* events) override;

    Result<std::optional<StoredValue>> get(std::string_view key) const override;
    Result<std::size_t> visit_many(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const override;
    Result<std::vector<std::optional<StoredValue>>> get_many(std::span<const std::string_view> keys, std::size_t bytes_max) const override;
    void count_told(std::span<const std::optional<StoredValue>> values) const override;
    Result<Page> scan(const KeyRange& range) const override;
    Result<Reply> read(std::span<const std::string_view> words, std::uint64_t clock, std::uint64_t random) const override;

    Status reload() override;

private:
    [[nodiscard]] Status check_order(const Entry& entry) const;
    [[nodiscard]] Status write();
    void note_keys_read(const Item& item);
    void warm_backlog(std::span<const Entry> entries);
    void tell_events(std::span<const std::string_view> words);
    void count(const Keyspace::Lookups& told) const;
    [[nodiscard]] Result<std::optional<StoredValue>> to_stored_value(std::string row) const;
    void run_entry(const Entry& entry, Applied* out);
    void run_commands(std::string_view payload, Applied* out);
    void run_item(const Item& item, bool wanted, Outcome& outcome);
    void run_in_session(const Item& request, bool wanted, Outcome& outcome);
    void evaluate(const Item& request, bool wanted, Outcome& outcome);
    void fail_condition(const Item& request, std::size_t index, Outcome& outcome);
    void register_session(const Item& item, Outcome& outcome);

    store::Store& store_;
    store::Position position_;
    std::optional<Membership> membership_;
    SessionTable sessions_;
    UserTable users_;

    // Of the write under way.
    Keyspace keys_;
    std::vector<store::Change> changes_;
    std::uint64_t registrations_ = 0;    ///< in this entry
    std::size_t result_bytes_left_ = 0;  ///< of this entry
    Rank running_;                       ///< this entry
    std::size_t running_item_ = 0;       ///< of it
    Item item_;                          ///< kept for its memory, like the next
    std::vector<std::string_view> read_keys_, overwritten_keys_;

    std::vector<KeyEvent>* events_ = nullptr;
    struct Told {
        SharedCount hits, misses;
    };
    mutable Told told_;
};

// -- applying --------------------------------------------------------------------------------------------------------------

Status Machine::apply(std::span<const Entry> entries, std::vector<Applied>* out) {
    warm_backlog(entries);
    for (const Entry& entry : entries) {
        if (auto status = check_order(entry); !status) return status;
        // What falls due is found in the store: what earlier entries did about deadlines must be there.
        const std::uint64_t due = keys_.first_deadline();
        if (due != 0 && due <= std::max(position_.timestamp, entry.timestamp()) && position_ != store_.position()) {
            if (auto status = write(); !status) return status;
        }
        if (out != nullptr) out->push_back({.entry = entry.id()});
        run_entry(entry, out == nullptr ? nullptr : &out->back());
        position_ = {entry.id(), std::max(position_.timestamp, entry.timestamp())};
        const bool is_full = keys_.changed_bytes() >= kWriteBytes;
        if (is_full || &entry == &entries.back()) {
            if (auto status = write(); !status) return status;
        }
    }
    return {};
}

/// A restart, or a slave that catches up, has much to apply.
void Machine::warm_backlog(std::span<const Entry> entries) {
    std::size_t bytes = 0;
    for (const Entry& entry : entries) bytes += entry.size();
    if (entries.size() < 2 || bytes < kBacklogBytes) return;
    std::vector<Entry> once(entries.begin(), entries.end());
    warm([&] { return std::exchange(once, {}); }, [] { return kBacklogTimeMax; });
}

void Machine::warm(const NextEntries& next, const TimeLeft& time_left) {
    constexpr std::size_t kShare = 8;  // of the store's memory, for the keys of one step
    const std::size_t bytes_max = store_.cache().bytes_max / kShare;
    if (bytes_max == 0) return;
    RowKeys keys(bytes_max);
    const auto look_up = [&] {
        store_.warm(keys.views(), time_left());
        keys.clear();
    };
    const auto add = [&](std::span<const std::string_view> some) {
        for (const std::string_view key : some) {
            if (!keys.has_room(key)) look_up();
            keys.add(key);
        }
    };
    while (time_left().count() > 0) {
        const std::vector<Entry> entries = next();
        if (entries.empty()) break;
        for (const Entry& entry : entries) {
            if (entry.kind() != EntryKind::kCommands) continue;
            for (ItemReader reader(entry.payload()); reader.next(item_);) {
                read_keys_.clear();
                overwritten_keys_.clear();
                note_keys_read(item_);
                add(read_keys_);
                add(overwritten_keys_);
            }
        }
    }
    look_up();
}

Status Machine::check_order(const Entry& entry) const {
    ENSURE(entry.lsn() == position_.applied.lsn.next());
    if (entry.follows(position_.applied)) return {};
    return fail(ErrorCode::kCorrupt,
                "state at lsn={} epoch={} checksum={:08x} is of another log: entry lsn={} epoch={} follows checksum {:08x}",
                position_.applied.lsn.value, position_.applied.epoch.value, position_.applied.checksum, entry.lsn().value,
                entry.epoch().value, entry.predecessor_checksum());
}

Status Machine::write() {
    if (auto status = keys_.status(); !status) return status;
    keys_.take_changes(changes_);
    sessions_.take_changes(changes_);
    users_.take_changes(changes_);
    auto status = store_.apply(changes_, position_);
    changes_.clear();
    return status;
}

void Machine::run_entry(const Entry& entry, Applied* out) {
    const std::uint64_t now = std::max(position_.timestamp, entry.timestamp());
    position_.timestamp = now;
    sessions_.expire(now);
    running_ = entry.id().rank();
    running_item_ = 0;
    keys_.begin_entry(entry.lsn(), now);
    keys_.expire(kExpiredPerEntryMax);
    tell_events({});
    registrations_ = 0;
    result_bytes_left_ = kResultBytesPerEntryMax;
    switch (entry.kind()) {
        case EntryKind::kCommands: run_commands(entry.payload(), out); break;
        case EntryKind::kMembership:
            if (auto membership = decode_membership(entry.payload())) {
                membership_ = std::move(*membership);
                changes_.push_back({layout::kMembershipKey, entry.payload()});
            }
            break;
        case EntryKind::kEpochStart:
        case EntryKind::kTick: break;
    }
}

/// The payload is read twice: first to see that all of it can be decoded and which keys it will read, then to execute it.
void Machine::run_commands(std::string_view payload, Applied* out) {
    read_keys_.clear();
    overwritten_keys_.clear();
    std::size_t items = 0;
    ItemReader check(payload);
    for (; check.next(item_); ++items) {
        if (read_keys_.size() + overwritten_keys_.size() >= kPrefetchKeysMax) continue;
        note_keys_read(item_);
    }
    if (!check.ok()) {
        if (out != nullptr) out->outcomes.push_back({.code = OutcomeCode::kMalformed});
        return;
    }
    for (auto* keys : {&read_keys_, &overwritten_keys_}) keys->resize(std::min(keys->size(), kPrefetchKeysMax));
    keys_.prefetch(read_keys_, overwritten_keys_);

    if (out != nullptr) out->outcomes.reserve(items);
    ItemReader reader(payload);
    for (Outcome outcome; reader.next(item_); outcome = {}, ++running_item_) {
        run_item(item_, out != nullptr, outcome);
        if (out == nullptr) continue;
        if (item_.kind == ItemKind::kRequest && !item_.session.is_zero())
            out->numbered.push_back({running_item_, item_.session, item_.sequence});
        out->outcomes.push_back(std::move(outcome));
    }
}

/// Of the keys whose rows it pays to read beforehand.
void Machine::note_keys_read(const Item& item) {
    for (const auto& condition : item.conditions) read_keys_.push_back(condition.key);
    for (const auto& command : item.commands) {
        if (command.kind == CommandKind::kRedis) {
            redis::for_each_word(item.words_of(command), [&](std::string_view word, bool is_key) {
                if (is_key) read_keys_.push_back(word);
            });
        } else {
            const bool needs_value = command.kind == CommandKind::kGet || command.kind == CommandKind::kIncrement;
            (needs_value ? read_keys_ : overwritten_keys_).push_back(command.key);
        }
    }
}

/// `wanted`: somebody will read the outcome's results.
void Machine::run_item(const Item& item, bool wanted, Outcome& outcome) {
    const std::uint64_t now = position_.timestamp;
    outcome.version = keys_.lsn();
    switch (item.kind) {
        case ItemKind::kRequest:
            if (item.session.is_zero()) {
                evaluate(item, wanted, outcome);
            } else {
                run_in_session(item, wanted, outcome);
            }
            break;
        case ItemKind::kRegister: register_session(item, outcome); break;
        case ItemKind::kKeep:
            if (sessions_.keep(item.session, item.lowest_unanswered, now) == nullptr) outcome = {.code = OutcomeCode::kSessionExpired};
            break;
        case ItemKind::kClose:
            if (!sessions_.close(item.session)) outcome = {.code = OutcomeCode::kSessionExpired};
            break;
        case ItemKind::kUsers:
            if (const auto code = users_.change(item, keys_.lsn()); code != OutcomeCode::kDone)
                outcome = {.code = code, .version = users_.all().changed};
            break;
    }
}

void Machine::register_session(const Item& item, Outcome& outcome) {
    const std::uint64_t id = keys_.lsn().value + registrations_ * kOrdinalStep;
    const bool ran_over = registrations_ >= (std::uint64_t{1} << (64 - kLsnBits));
    if (ran_over || !sessions_.open({id}, item.lifetime_ms, position_.timestamp)) {
        outcome = {.code = OutcomeCode::kTooMany};
        return;
    }
    ++registrations_;
    outcome.version = {id};
}

/// Exactly once (S21).
void Machine::run_in_session(const Item& request, bool wanted, Outcome& outcome) {
    Session* session = sessions_.keep(request.session, request.lowest_unanswered, position_.timestamp);
    if (session == nullptr && mutant(Mutant::kUnknownSessionExecutes)) return evaluate(request, wanted, outcome);
    if (session == nullptr) {
        outcome = {.code = OutcomeCode::kSessionExpired};
        return;
    }
    switch (look_up(*session, request.sequence)) {
        case Known::kForgotten: outcome = {.code = OutcomeCode::kAnswerForgotten}; return;
        case Known::kTooFar: outcome = {.code = OutcomeCode::kTooMany}; return;
        case Known::kAnswered:
            if (wanted) outcome = kept_reply(*session, request.sequence);
            return;
        case Known::kNew: break;
    }
    const auto [hits, misses, expired] = statistics();
    evaluate(request, true, outcome);
    if (!wanted) {  // kept, and told to nobody here
        told_.hits.take_back_to(hits);
        told_.misses.take_back_to(misses);
    }
    if (outcome.code == OutcomeCode::kTooMany) return;  // not executed, and may be when it is sent again
    keep_reply(*session, request.sequence, outcome, keys_.lsn());
}

void Machine::evaluate(const Item& request, bool wanted, Outcome& outcome) {
    const auto is_too_large = [](std::string_view key, std::string_view value) {
        return key.size() > limits::kKeyBytesMax || value.size() > limits::kValueBytesMax;
    };
    const auto too_large = [&](const auto& part) {
        bool found = is_too_large(part.key, part.value);
        if constexpr (requires { part.words; }) {
            redis::for_each_word(request.words_of(part), [&](std::string_view word, bool is_key) {
                found |= is_too_large(is_key ? word : std::string_view(), word);
            });
        }
        return found;
    };
    if (request.too_many_parts || std::ranges::any_of(request.conditions, too_large) || std::ranges::any_of(request.commands, too_large)) {
        outcome = {.code = OutcomeCode::kTooLarge};
        return;
    }
    for (std::size_t i = 0; i < request.conditions.size(); ++i) {
        if (!holds(request.conditions[i], keys_)) return fail_condition(request, i, outcome);
    }
    tell_events({});
    const std::size_t events_before = events_ == nullptr ? 0 : events_->size();
    keys_.begin_request(request.commands.size() > 1 || !request.words.empty());
    Answers answers(wanted ? &outcome.results : nullptr, std::min(kResultBytesPerRequestMax, result_bytes_left_));
    if (wanted) outcome.results.reserve(request.commands.size());
    for (const CommandView& command : request.commands) {
        if (const auto code = run(request, command, keys_, answers); code != OutcomeCode::kDone) {
            ENSURE(!mutant(Mutant::kContentEndsProcess));
            keys_.undo_request();
            keys_.changes().clear();
            static_cast<void>(keys_.take_told());
            if (events_ != nullptr) events_->erase(events_->begin() + static_cast<std::ptrdiff_t>(events_before), events_->end());
            outcome = {.code = code};
            return;
        }
        tell_events(command.kind == CommandKind::kRedis ? request.words_of(command) : redis_name_of(command.kind));
    }
    result_bytes_left_ -= answers.bytes();
    if (const auto told = keys_.take_told(); wanted) count(told);
}

// -- what others are told of it ----------------------------------------------------------------------------------------------

void Machine::watch(std::vector<KeyEvent>* events) {
    events_ = events;
    keys_.note_changes(events != nullptr);
    keys_.changes().clear();
}

void Machine::tell_events(std::span<const std::string_view> words) {
    if (events_ == nullptr || keys_.changes().empty()) return;
    append_events(*events_, keys_.changes(), words, running_, running_item_);
    keys_.changes().clear();
}

void Machine::count(const Keyspace::Lookups& told) const {
    told_.hits.add(told.hits);
    told_.misses.add(told.misses);
}

void Machine::fail_condition(const Item& request, std::size_t index, Outcome& outcome) {
    const Keyspace::Row& row = keys_.find(request.conditions[index].key);
    outcome = {.code = OutcomeCode::kConditionFailed, .failed_condition = static_cast<std::uint32_t>(index), .version = row.version()};
    const std::string_view value = row.value.bytes();
    if (!row.exists || value.size() > result_bytes_left_) return;
    result_bytes_left_ -= value.size();
    outcome.value = value;
}

// -- reading ---------------------------------------------------------------------------------------------------------------

/// nullopt: its deadline has come.
Result<std::optional<StoredValue>> Machine::to_stored_value(std::string row) const {
    const auto trailer = layout::take_trailer(row);
    if (!trailer) return fail(ErrorCode::kCorrupt, "store: a row of {} bytes has no known trailer", row.size());
    if (trailer->is_due(position_.timestamp)) return std::nullopt;
    return StoredValue{std::move(row), trailer->version};
}

Result<std::optional<StoredValue>> Machine::get(std::string_view key) const {
    auto row = store_.get(layout::data_key(key));
    if (!row) return fail(std::move(row.error()));
    if (!*row) return std::nullopt;
    return to_stored_value(std::move(**row));
}

Result<std::size_t> Machine::visit_many(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const {
    std::string text;
    const auto rows = data_keys(keys, text);
    Status status;
    Keyspace::Lookups told;
    auto visited = store_.read(rows, bytes_max, [&](std::size_t, std::optional<std::string_view> row) {
        ++told.misses;
        if (!status || !row) return visit(std::nullopt);
        const auto trailer = layout::trailer_of(*row);
        if (!trailer) status = fail(ErrorCode::kCorrupt, "store: a row of {} bytes has no known trailer", row->size());
        if (!trailer || trailer->is_due(position_.timestamp)) return visit(std::nullopt);
        ++told.hits, --told.misses;
        visit(layout::value_of(*row, *trailer));
    });
    count(told);
    if (!status) return fail(std::move(status.error()));
    return visited;
}

Result<std::vector<std::optional<StoredValue>>> Machine::get_many(std::span<const std::string_view> keys, std::size_t bytes_max) const {
    std::vector<std::string> row_keys;
    row_keys.reserve(keys.size());
    for (const auto key : keys) row_keys.push_back(layout::data_key(key));
    const std::vector<std::string_view> views(row_keys.begin(), row_keys.end());
    auto rows = store_.get_many(views, bytes_max);
    if (!rows) return fail(std::move(rows.error()));
    std::vector<std::optional<StoredValue>> values(rows->size());
    for (std::size_t i = 0; i < rows->size(); ++i) {
        if (!(*rows)[i]) continue;
        auto value = to_stored_value(std::move(*(*rows)[i]));
        if (!value) return fail(std::move(value.error()));
        values[i] = std::move(*value);
    }
    return values;
}

void Machine::count_told(std::span<const std::optional<StoredValue>> values) const {
    const auto hits = static_cast<std::uint64_t>(std::ranges::count_if(values, [](const auto& value) { return value.has_value(); }));
    count({.hits = hits, .misses = values.size() - hits});
}

Result<Page> Machine::scan(const KeyRange& range) const {
    auto found = store_.scan({.begin = layout::data_key(range.begin),
                              .end = range.end.empty() ? layout::behind(layout::kData) : layout::data_key(range.end),
                              .rows_max = range.rows_max,
                              .bytes_max = range.bytes_max});
    if (!found) return fail(std::move(found.error()));
    Page page;
    if (found->more) page.next = found->rows.back().first.substr(1) + '\0';
    page.rows.reserve(found->rows.size());
    for (auto& [row_key, row] : found->rows) {
        auto value = to_stored_value(std::move(row));
        if (!value) return fail(std::move(value.error()));
        if (!*value) continue;
        row_key.erase(0, 1);
        page.rows.push_back({std::move(row_key), std::move((*value)->value), (*value)->version});
    }
    return page;
}

Result<Reply> Machine::read(std::span<const std::string_view> words, std::uint64_t clock, std::uint64_t random) const {
    Keyspace keys(store_, keys_.counts());
    keys.begin_entry(position_.applied.lsn, position_.timestamp);
    redis::Call call{.words = words,
                     .keys = keys,
                     .clock = std::max(clock, position_.timestamp),
                     .random = random,
                     .reply_bytes_max = kResultBytesPerRequestMax,
                     .is_local = true};
    Reply reply = redis::run(call);
    if (!keys.status()) return fail(Error(keys.status().error()));
    count(keys.take_told());
    return reply;
}

Status Machine::reload() {
    position_ = store_.position();
    membership_.reset();
    auto membership = store_.get(layout::kMembershipKey);
    if (!membership) return fail(std::move(membership.error()));
    if (*membership) {
        auto decoded = decode_membership(**membership);
        if (!decoded) return fail(std::move(decoded.error()), "store");
        membership_ = std::move(*decoded);
    }
    if (auto status = keys_.open(); !status) return status;
    if (events_ != nullptr) events_->push_back({.of = EventClass::kFlushed, .name = "flushed", .key = {}, .entry = {}});
    if (auto status = users_.load(store_); !status) return status;
    return sessions_.load(store_);
}

}  // namespace

Result<std::unique_ptr<StateMachine>> StateMachine::open(store::Store& store) {
    auto machine = std::make_unique<Machine>(store);
    if (auto status = machine->reload(); !status) return fail(std::move(status.error()));
    return machine;
}

}  // namespace tanist::commands
