// SPDX-License-Identifier: Apache-2.0
// The families of commands: what each one does to the keyspace, and what it answers.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "commands/encoding.h"
#include "commands/keyspace.h"
#include "commands/request.h"

namespace tanist::commands {

/// The answers to one request's commands, bounded in bytes whether somebody wants to have them or not: so every node comes to the
/// same end.
class Answers {
public:
    /// `results` null: nobody wants them.
    Answers(std::vector<CommandResult>* results, std::size_t bytes_max) : results_(results), bytes_max_(bytes_max) {}

    [[nodiscard]] OutcomeCode add(std::optional<std::string_view> value, Version version, bool found) {
        bytes_ += value ? value->size() : 0;
        if (bytes_ > bytes_max_) return OutcomeCode::kTooLarge;
        if (results_ != nullptr) {
            results_->push_back({.value = std::nullopt, .version = version, .found = found});
            if (value) results_->back().value = *value;
        }
        return OutcomeCode::kDone;
    }
    [[nodiscard]] OutcomeCode add(Reply reply, Version version) {
        bytes_ += reply.bytes();
        if (bytes_ > bytes_max_) return OutcomeCode::kTooLarge;
        if (results_ != nullptr) {
            results_->push_back({.value = std::nullopt, .version = version, .reply = std::make_shared<const Reply>(std::move(reply))});
        }
        return OutcomeCode::kDone;
    }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t bytes_left() const { return bytes_max_ - bytes_; }

private:
    std::vector<CommandResult>* results_;
    std::size_t bytes_max_, bytes_ = 0;
};

// Each executes one command. Anything but kDone ends its request, which the caller then takes back as a whole.
[[nodiscard]] OutcomeCode put(const CommandView& command, Keyspace& keys, Answers& answers);        // values.cpp
[[nodiscard]] OutcomeCode erase(const CommandView& command, Keyspace& keys, Answers& answers);      // values.cpp
[[nodiscard]] OutcomeCode get(const CommandView& command, Keyspace& keys, Answers& answers);        // values.cpp
[[nodiscard]] OutcomeCode increment(const CommandView& command, Keyspace& keys, Answers& answers);  // counters.cpp

/// `words` may be anything.
[[nodiscard]] OutcomeCode run_redis(std::span<const std::string_view> words, Keyspace& keys, Answers& answers);  // redis/table.cpp

[[nodiscard]] bool holds(const ConditionView& condition, Keyspace& keys);  // conditions.cpp

[[nodiscard]] inline OutcomeCode run(const Item& item, const CommandView& command, Keyspace& keys, Answers& answers) {
    switch (command.kind) {
        case CommandKind::kPut: return put(command, keys, answers);
        case CommandKind::kDelete: return erase(command, keys, answers);
        case CommandKind::kIncrement: return increment(command, keys, answers);
        case CommandKind::kGet: return get(command, keys, answers);
        case CommandKind::kRedis: break;
    }
    return run_redis(item.words_of(command), keys, answers);
}

}  // namespace tanist::commands
