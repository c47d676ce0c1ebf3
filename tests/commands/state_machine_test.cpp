// SPDX-License-Identifier: Apache-2.0
// Applying as a whole: order, time, membership, determinism, restarts, and a model that it must agree with.
#include "commands/state_machine.h"

#include <gmock/gmock.h>

#include <chrono>
#include <ctime>
#include <map>

#include "base/random.h"
#include "commands/layout.h"
#include "tests/commands/log.h"
#include "tests/store/stores.h"

namespace tanist::commands {
namespace {

using ::testing::IsEmpty;

TEST(StateMachine, StartsBeforeTheFirstEntry) {
    Machine machine;
    EXPECT_EQ(machine.state->position(), store::Position{});
    EXPECT_EQ(machine.state->membership(), std::nullopt);
    EXPECT_TRUE(machine.state->apply({}, nullptr));
    EXPECT_EQ(machine.state->position(), store::Position{});
}

TEST(StateMachine, EntriesThatAreNoCommandsMoveThePositionAndHaveNoOutcomes) {
    Machine machine;
    for (const EntryKind kind : {EntryKind::kEpochStart, EntryKind::kTick, EntryKind::kMembership}) {
        machine.log.advance(10);
        EXPECT_THAT(machine.apply(machine.log.entry(kind, {})), IsEmpty());
        EXPECT_EQ(machine.state->position(), (store::Position{machine.log.last(), machine.log.now()}));
        EXPECT_EQ(machine.store->position(), machine.state->position());
    }
}

TEST(StateMachine, RemembersTheMembershipAcrossRestarts) {  // S23, S25
    Machine machine;
    const Membership membership{.cluster = {7}, .cluster_name = "demo", .members = {{.id = {NodeId{1}, Incarnation{9}}}}};
    machine.apply(machine.log.entry(EntryKind::kMembership, encode(membership)));
    EXPECT_EQ(machine.state->membership(), membership);
    machine.apply(machine.log.entry(EntryKind::kMembership, "nonsense"));  // changes nothing, ends nothing (S12)
    EXPECT_EQ(machine.state->membership(), membership);
    machine.restart();
    EXPECT_EQ(machine.state->membership(), membership);
}

TEST(StateMachine, TimeNeverGoesBackwards) {  // S22
    Machine machine;
    machine.tick();
    const auto now = machine.state->position().timestamp;
    machine.log = LogWriter(machine.log.last(), now - 5);
    machine.tick();
    EXPECT_EQ(machine.state->position().timestamp, now);
}

TEST(StateMachine, AnEntryOfAnotherHistoryIsRefused) {
    Machine machine, other;
    machine.execute({Put{"a", "1"}});
    other.execute({Put{"a", "2"}});
    const Entry foreign = other.log.commands({});
    const auto status = machine.state->apply(std::span(&foreign, 1), nullptr);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(machine.value("a"), "1");
}

TEST(StateMachineDeathTest, AnEntryAppliedBeforeOrAGapIsABug) {  // the caller starts behind position()
    Machine machine;
    const Entry first = machine.log.commands({}), second = machine.log.commands({});
    ASSERT_TRUE(machine.state->apply(std::span(&first, 1), nullptr));
    EXPECT_DEATH(static_cast<void>(machine.state->apply(std::span(&first, 1), nullptr)), "this must hold");
    machine.log.commands({});
    const Entry fourth = machine.log.commands({});
    EXPECT_DEATH(static_cast<void>(machine.state->apply(std::span(&fourth, 1), nullptr)), "this must hold");
}

TEST(StateMachine, AMalformedPayloadChangesNothingAtAll) {  // S12
    Machine machine;
    std::string payload;
    append_to(payload, Request{.commands = {Put{"a", "1"}}});
    payload += "\x05garbage";
    const auto outcomes = machine.apply(machine.log.entry(EntryKind::kCommands, payload));
    EXPECT_EQ(outcomes, std::vector{Outcome{.code = OutcomeCode::kMalformed}});
    EXPECT_EQ(machine.value("a"), std::nullopt);
    EXPECT_EQ(machine.state->position().applied, machine.log.last());
}

TEST(StateMachine, ARowThatCannotBeReadIsTheStoresFailure) {
    Machine machine;
    ASSERT_TRUE(machine.store->apply(std::vector<store::Change>{{"da", "x"}, {std::string(layout::kCountsKey), layout::encode_counts({})}},
                                     {.applied = {.epoch = Epoch{1}, .lsn = Lsn{1}}}));
    ASSERT_TRUE(machine.state->reload());
    EXPECT_EQ(machine.state->get("a").error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(machine.state->scan({}).error().code, ErrorCode::kCorrupt);
    LogWriter log(machine.state->position().applied, 5);
    const Entry entry = log.commands({Request{.commands = {Get{"a"}, Put{"b", "1"}}}});
    const auto status = machine.state->apply(std::span(&entry, 1), nullptr);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(machine.store->position().applied.lsn, Lsn{1});  // nothing that came of it was written
}

TEST(StateMachine, SessionsThatCannotBeReadAreTheStoresFailure) {
    Machine machine;
    ASSERT_TRUE(machine.store->apply(std::vector<store::Change>{{layout::session_key({1}), "\x07"}},
                                     {.applied = {.epoch = Epoch{1}, .lsn = Lsn{1}}}));
    EXPECT_EQ(StateMachine::open(*machine.store).error().code, ErrorCode::kCorrupt);
}

// -- random logs -----------------------------------------------------------------------------------------------------------

/// Requests over few keys and sessions, so that they meet; some sessions do not exist, some numbers repeat.
class RandomLog {
public:
    explicit RandomLog(std::uint64_t seed) : random_(seed) {}

    std::vector<Logged> items() {
        std::vector<Logged> all;
        for (std::uint64_t n = random_.below(8); n > 0; --n) all.push_back(item());
        return all;
    }
    Random& random() { return random_; }

private:
    std::string key() { return std::string(1, static_cast<char>('a' + random_.below(6))); }
    std::string value() { return random_.chance(1, 2) ? std::to_string(random_.below(10)) : std::string(random_.below(2000), 'v'); }

    Logged item() {
        const SessionId session{random_.below(12)};
        if (random_.chance(1, 15)) return RegisterSession{random_.between(50, 500)};
        if (random_.chance(1, 30)) return CloseSession{session};
        if (random_.chance(1, 30)) return KeepSession{session, random_.below(6)};
        if (random_.chance(1, 20)) {
            const std::optional<std::string> line = random_.chance(1, 3) ? std::nullopt : std::optional(value());
            return ChangeUsers{.expected = {random_.below(3)}, .replaces_all = random_.chance(1, 3), .users = {{key(), line}}};
        }
        Request request{
            .session = random_.chance(1, 3) ? SessionId{} : session, .sequence = random_.below(8), .lowest_unanswered = random_.below(5)};
        for (std::uint64_t n = random_.below(2); n > 0; --n) request.conditions.push_back(condition());
        for (std::uint64_t n = random_.below(4); n > 0; --n) request.commands.push_back(command());
        return request;
    }
    Condition condition() {
        switch (random_.below(4)) {
            case 0: return KeyExists{key()};
            case 1: return KeyAbsent{key()};
            case 2: return ValueEquals{key(), std::to_string(random_.below(10))};
            default: return VersionEquals{key(), {random_.below(60)}};
        }
    }
    Command command() {
        switch (random_.below(5)) {
            case 0:
            case 1: return Put{key(), value()};
            case 2: return Delete{key()};
            case 3: return Increment{key(), static_cast<std::int64_t>(random_.below(5)) - 2};
            default: return Get{key()};
        }
    }
    Random random_;
};

std::vector<Entry> random_log(std::uint64_t seed, std::size_t entries) {
    RandomLog source(seed);
    LogWriter log;
    std::vector<Entry> all;
    for (std::size_t i = 0; i < entries; ++i) {
        log.advance(source.random().below(30));
        all.push_back(source.random().chance(1, 10) ? log.entry(EntryKind::kTick, {}) : log.commands(source.items()));
    }
    return all;
}

template <class Place>
class StateMachineOn : public ::testing::Test {};
TYPED_TEST_SUITE(StateMachineOn, store::Places);

TYPED_TEST(StateMachineOn, TheSameLogInAnyBatchesWithOrWithoutAnswersGivesTheSameState) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE(seed);
        const auto log = random_log(seed, 200);
        std::vector<Outcome> expected;
        std::optional<std::uint64_t> digest;
        for (const std::size_t batch : {std::size_t{1}, std::size_t{7}, std::size_t{200}}) {
            for (const bool answers : {true, false}) {
                TypeParam place;
                auto rows = place.open().value();
                auto state = StateMachine::open(*rows).value();
                std::vector<Applied> applied;
                for (std::size_t at = 0; at < log.size(); at += batch) {
                    ASSERT_TRUE(state->apply(std::span(log).subspan(at, std::min(batch, log.size() - at)), answers ? &applied : nullptr));
                }
                if (!digest) digest = rows->digest().value();
                EXPECT_EQ(rows->digest().value(), *digest);
                std::vector<Outcome> outcomes;
                for (auto& one : applied) std::ranges::move(one.outcomes, std::back_inserter(outcomes));
                if (expected.empty()) expected = outcomes;
                if (answers) {
                    EXPECT_EQ(outcomes, expected);
                }
            }
        }
    }
}

TYPED_TEST(StateMachineOn, ARestartReplaysFromWhatWasStoredAndComesToTheSameState) {  // S11
    for (std::uint64_t seed = 11; seed <= 13; ++seed) {
        SCOPED_TRACE(seed);
        const auto log = random_log(seed, 200);
        Random random(seed);
        TypeParam place, steady_place;
        auto steady_rows = steady_place.open().value();
        auto steady = StateMachine::open(*steady_rows).value();
        ASSERT_TRUE(steady->apply(log, nullptr));

        auto rows = place.open().value();
        auto state = StateMachine::open(*rows).value();
        while (state->position().applied.lsn.value < log.size()) {
            if (random.chance(1, 20)) {
                state.reset();
                rows.reset();
                rows = place.open().value();
                state = StateMachine::open(*rows).value();
            }
            const std::size_t at = state->position().applied.lsn.value;
            ASSERT_TRUE(state->apply(std::span(log).subspan(at, std::min<std::size_t>(random.between(1, 5), log.size() - at)), nullptr));
            if (random.chance(1, 5)) {
                ASSERT_TRUE(rows->flush());
            }
        }
        EXPECT_EQ(rows->digest().value(), steady_rows->digest().value());
        EXPECT_EQ(state->sessions(), steady->sessions());
        EXPECT_EQ(state->next_due(), steady->next_due());
    }
}

// -- a model -----------------------------------------------------------------------------------------------------------------

/// The same rules over plain maps, copied whole for each request.
class Model {
public:
    struct Held {
        std::string value;
        Version version;
    };
    using Keys = std::map<std::string, Held>;
    struct KeptSession {
        std::uint64_t lifetime, deadline, lowest = 1;
        std::map<std::uint64_t, Outcome> replies;
    };

    Keys keys;
    std::map<std::uint64_t, KeptSession> sessions;

    std::vector<Outcome> apply(Lsn lsn, std::uint64_t now, const std::vector<Logged>& items) {
        lsn_ = lsn, now_ = now, registrations_ = 0;
        changes_.clear();
        std::erase_if(sessions, [&](const auto& one) { return one.second.deadline <= now; });
        std::vector<Outcome> outcomes;
        for (const auto& item : items) outcomes.push_back(std::visit([&](const auto& one) { return run(one); }, item));
        return outcomes;
    }

private:
    Outcome run(const RegisterSession& r) {
        const std::uint64_t id = lsn_.value + kOrdinalStep * registrations_++;
        sessions[id] = {.lifetime = r.lifetime_ms, .deadline = now_ + r.lifetime_ms};
        return {.version = {id}};
    }
    Outcome run(const CloseSession& c) {
        return sessions.erase(c.session.value) != 0 ? Outcome{.version = lsn_} : Outcome{.code = OutcomeCode::kSessionExpired};
    }
    Outcome run(const KeepSession& k) {
        return touch(k.session, k.lowest_unanswered) ? Outcome{.version = lsn_} : Outcome{.code = OutcomeCode::kSessionExpired};
    }
    Outcome run(const ChangeUsers& c) {
        if (c.expected != users_changed_) return {.code = OutcomeCode::kConditionFailed, .version = users_changed_};
        users_changed_ = lsn_;
        return {.version = lsn_};
    }
    Outcome run(const Request& r) {
        if (r.session.is_zero()) return evaluate(r);
        KeptSession* session = touch(r.session, r.lowest_unanswered);
        if (session == nullptr) return {.code = OutcomeCode::kSessionExpired};
        if (r.sequence < session->lowest) return {.code = OutcomeCode::kAnswerForgotten};
        if (const auto at = session->replies.find(r.sequence); at != session->replies.end()) {
            Outcome outcome = at->second;
            outcome.replayed = true;
            return outcome;
        }
        return session->replies[r.sequence] = evaluate(r);
    }
    KeptSession* touch(SessionId id, std::uint64_t lowest) {
        const auto at = sessions.find(id.value);
        if (at == sessions.end()) return nullptr;
        at->second.deadline = now_ + at->second.lifetime;
        at->second.lowest = std::max(at->second.lowest, lowest);
        std::erase_if(at->second.replies, [&](const auto& one) { return one.first < at->second.lowest; });
        return &at->second;
    }
    Outcome evaluate(const Request& r) {
        for (std::size_t i = 0; i < r.conditions.size(); ++i) {
            const auto key = std::visit([](const auto& c) { return c.key; }, r.conditions[i]);
            const auto at = keys.find(key);
            const std::optional<Held> held = at == keys.end() ? std::nullopt : std::optional(at->second);
            if (holds(r.conditions[i], held)) continue;
            Outcome failed{.code = OutcomeCode::kConditionFailed, .failed_condition = static_cast<std::uint32_t>(i)};
            if (held) failed.value = held->value, failed.version = held->version;
            return failed;
        }
        const Keys before = keys;
        const auto changes_before = changes_;
        Outcome outcome{.version = lsn_};
        std::map<std::string, Version> changed;
        for (const auto& command : r.commands) {
            if (const auto code = run(command, changed, outcome); code != OutcomeCode::kDone) {
                keys = before, changes_ = changes_before;
                return {.code = code};
            }
        }
        return outcome;
    }
    static bool holds(const Condition& condition, const std::optional<Held>& held) {
        if (std::holds_alternative<KeyExists>(condition)) return held.has_value();
        if (std::holds_alternative<KeyAbsent>(condition)) return !held;
        if (const auto* c = std::get_if<ValueEquals>(&condition)) return held && held->value == c->value;
        return (held ? held->version : Version{}) == std::get<VersionEquals>(condition).version;
    }
    /// The version that this request gives to a key: one for all its changes.
    Version next_version(const std::string& key, std::map<std::string, Version>& changed) {
        const auto [at, is_new] = changed.try_emplace(key);
        if (is_new) at->second = {lsn_.value + kOrdinalStep * changes_[key]++};
        return at->second;
    }
    OutcomeCode run(const Command& command, std::map<std::string, Version>& changed, Outcome& outcome) {
        const auto key_of = [](const auto& c) -> std::string {
            if constexpr (requires { c.key; }) return c.key;
            return {};  // of Redis's words: none are drawn here
        };
        const auto key = std::visit(key_of, command);
        const auto at = keys.find(key);
        const bool found = at != keys.end();
        if (const auto* put = std::get_if<Put>(&command)) {
            keys[key] = {put->value, next_version(key, changed)};
            outcome.results.push_back({std::nullopt, keys[key].version, false});
        } else if (std::holds_alternative<Delete>(command)) {
            if (found) static_cast<void>(next_version(key, changed)), keys.erase(at);
            outcome.results.push_back({std::nullopt, {}, found});
        } else if (std::holds_alternative<Get>(command)) {
            outcome.results.push_back(
                {found ? std::optional(at->second.value) : std::nullopt, found ? at->second.version : Version{}, found});
        } else {
            const std::string text = found ? at->second.value : "0";
            if (text.empty() || text.find_first_not_of("-0123456789") != std::string::npos) return OutcomeCode::kNotAnInteger;
            keys[key] = {std::to_string(std::stoll(text) + std::get<Increment>(command).by), next_version(key, changed)};
            outcome.results.push_back({keys[key].value, keys[key].version, found});
        }
        return OutcomeCode::kDone;
    }

    Lsn lsn_, users_changed_;
    std::uint64_t now_ = 0, registrations_ = 0;
    std::map<std::string, std::uint64_t> changes_;  ///< requests of this entry that changed the key
};

/// Replies too large to keep are the one thing that the model does not know.
void expect_same(const Outcome& outcome, const Outcome& modelled) {
    if (outcome.replayed && outcome.code == OutcomeCode::kAnswerForgotten) {
        EXPECT_TRUE(modelled.replayed);
        EXPECT_EQ(modelled.code, OutcomeCode::kDone);
        EXPECT_EQ(outcome.version, modelled.version);
    } else if (outcome.replayed && outcome.code == OutcomeCode::kConditionFailed && !outcome.value) {
        EXPECT_EQ(modelled.code, OutcomeCode::kConditionFailed);
        EXPECT_EQ(outcome.version, modelled.version);
    } else {
        EXPECT_EQ(outcome, modelled);
    }
}

TYPED_TEST(StateMachineOn, AgreesWithAModelOverRandomRequests) {
    std::map<OutcomeCode, int> seen;
    for (std::uint64_t seed = 21; seed <= 40; ++seed) {
        SCOPED_TRACE(seed);
        const auto log = random_log(seed, 150);
        TypeParam place;
        auto rows = place.open().value();
        auto state = StateMachine::open(*rows).value();
        Model model;
        for (const Entry& entry : log) {
            const auto items = decode_payload(entry.payload()).value();
            std::vector<Applied> applied;
            ASSERT_TRUE(state->apply(std::span(&entry, 1), &applied));
            const auto modelled = model.apply(entry.lsn(), entry.timestamp(), items);
            ASSERT_EQ(applied[0].outcomes.size(), modelled.size());
            for (std::size_t i = 0; i < modelled.size(); ++i) {
                expect_same(applied[0].outcomes[i], modelled[i]);
                ++seen[modelled[i].code];
            }
            ASSERT_FALSE(this->HasFailure()) << "at lsn " << entry.lsn().value;
            ASSERT_EQ(state->sessions(), model.sessions.size());
            std::uint64_t due = 0;
            for (const auto& [id, session] : model.sessions) due = due == 0 ? session.deadline : std::min(due, session.deadline);
            ASSERT_EQ(state->next_due(), due);
        }
        const auto page = state->scan({}).value();
        ASSERT_EQ(page.rows.size(), model.keys.size());
        for (const auto& row : page.rows) {
            EXPECT_EQ(row.value, model.keys[row.key].value);
            EXPECT_EQ(row.version, model.keys[row.key].version);
        }
    }
    for (const auto code : {OutcomeCode::kDone, OutcomeCode::kConditionFailed, OutcomeCode::kNotAnInteger, OutcomeCode::kSessionExpired,
                            OutcomeCode::kAnswerForgotten}) {
        EXPECT_GT(seen[code], 20) << static_cast<int>(code);  // the random log meets what it is to test
    }
}

double thread_cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Not a test but a measurement: --gtest_also_run_disabled_tests --gtest_filter='*Cost*'.
TYPED_TEST(StateMachineOn, DISABLED_CostOfApply) {
    TypeParam place;
    auto rows = place.open().value();
    auto state = StateMachine::open(*rows).value();
    LogWriter log;
    Random random(1);
    constexpr std::size_t kRequests = 1000, kRounds = 1000, kKeys = 1'000'000;
    const auto measure = [&](const char* name, auto make, bool answers) {
        std::vector<Entry> entries;
        for (std::size_t round = 0; round < kRounds; ++round) {
            std::vector<Logged> items;
            for (std::size_t i = 0; i < kRequests; ++i) items.push_back(make());
            entries.push_back(log.commands(items));
        }
        std::vector<Applied> applied;
        const auto start = std::chrono::steady_clock::now();
        const double cpu_start = thread_cpu_seconds();
        for (const Entry& entry : entries) {
            applied.clear();
            ASSERT_TRUE(state->apply(std::span(&entry, 1), answers ? &applied : nullptr));
        }
        const double each = 1e6 / kRequests / kRounds;
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        std::printf("%-36s %6.2f us of this thread's CPU, %6.2f us in all\n", name, each * (thread_cpu_seconds() - cpu_start),
                    each * seconds);
    };
    const auto key = [&] { return "key:" + std::to_string(random.below(kKeys)); };
    const std::string value(100, 'v');
    measure("put, nobody to answer", [&] { return Request{.commands = {Put{key(), value}}}; }, false);
    measure("put", [&] { return Request{.commands = {Put{key(), value}}}; }, true);
    measure("increment", [&] { return Request{.commands = {Increment{"counter:" + std::to_string(random.below(kKeys)), 1}}}; }, true);
    measure("get", [&] { return Request{.commands = {Get{key()}}}; }, true);
    std::vector<Applied> registered;
    const Entry registration = log.commands({RegisterSession{}});
    ASSERT_TRUE(state->apply(std::span(&registration, 1), &registered));
    const SessionId session{registered[0].outcomes[0].version.value};
    std::uint64_t sequence = 0;
    measure(
        "put in a session, 64 unanswered",
        [&] {
            ++sequence;
            return Request{.session = session,
                           .sequence = sequence,
                           .lowest_unanswered = sequence < 64 ? 1 : sequence - 63,
                           .commands = {Put{key(), value}}};
        },
        true);
}

}  // namespace
}  // namespace tanist::commands
