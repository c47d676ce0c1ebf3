// SPDX-License-Identifier: Apache-2.0
// Writes logs for state machines to apply, and holds a state machine over a memory store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "commands/request.h"
#include "commands/state_machine.h"
#include "store/memory_store.h"

namespace tanist::commands {

/// Makes entries that follow each other.
class LogWriter {
public:
    LogWriter() = default;
    LogWriter(EntryId last, std::uint64_t now) : last_(last), now_(now) {}

    Entry entry(EntryKind kind, std::string_view payload) {
        auto made = Entry::make(Epoch{1}, last_, now_, kind, payload);
        last_ = made.id();
        return made;
    }
    Entry commands(const std::vector<Logged>& items) {
        std::string payload;
        for (const auto& item : items) append_to(payload, item);
        return entry(EntryKind::kCommands, payload);
    }
    void advance(std::uint64_t milliseconds) { now_ += milliseconds; }
    [[nodiscard]] std::uint64_t now() const { return now_; }
    [[nodiscard]] EntryId last() const { return last_; }

private:
    EntryId last_;
    std::uint64_t now_ = 1'000'000;
};

/// A state machine, its store, and the log that it is fed.
struct Machine {
    std::shared_ptr<store::DurableImage> image = std::make_shared<store::DurableImage>();
    std::unique_ptr<store::Store> store = store::open_memory_store(image);
    std::unique_ptr<StateMachine> state = StateMachine::open(*store).value();
    LogWriter log;

    std::vector<Outcome> apply(const Entry& entry) {
        std::vector<Applied> applied;
        const auto status = state->apply(std::span(&entry, 1), &applied);
        EXPECT_TRUE(status) << status.error().message;
        EXPECT_EQ(applied.size(), 1U);
        EXPECT_EQ(applied.at(0).entry, entry.id());
        return applied.at(0).outcomes;
    }
    /// One entry with all of these.
    std::vector<Outcome> run_all(const std::vector<Logged>& items) { return apply(log.commands(items)); }
    Outcome run(const Logged& item) { return run_all({item}).at(0); }
    /// One request, of no session, in an entry of its own.
    Outcome execute(std::vector<Command> commands) { return run(Request{.commands = std::move(commands)}); }
    Outcome execute_if(std::vector<Condition> conditions, std::vector<Command> commands) {
        return run(Request{.conditions = std::move(conditions), .commands = std::move(commands)});
    }
    void tick() { EXPECT_TRUE(state->apply(std::vector{log.entry(EntryKind::kTick, {})}, nullptr)); }

    SessionId open_session(std::uint64_t lifetime_ms = 60'000) { return {run(RegisterSession{lifetime_ms}).version.value}; }

    [[nodiscard]] std::optional<std::string> value(std::string_view key) const {
        auto found = state->get(key).value();
        return found ? std::optional(found->value) : std::nullopt;
    }
    [[nodiscard]] Version version(std::string_view key) const {
        const auto found = state->get(key).value();
        return found ? found->version : Version{};
    }
    [[nodiscard]] std::uint64_t digest() const { return store->digest().value(); }

    /// Ends and starts again, from all that was applied.
    void restart() {
        EXPECT_TRUE(store->flush());
        state.reset();
        store = store::open_memory_store(image);
        state = StateMachine::open(*store).value();
    }
};

}  // namespace tanist::commands
