// SPDX-License-Identifier: Apache-2.0
#include "server/resp/records.h"

#include <fmt/format.h>

namespace tanist::server::resp {
namespace {

constexpr std::size_t kSlowWordsMax = 32, kSlowWordBytesMax = 128;

}  // namespace

void Records::count_call(const CommandTable::Row& row, std::uint64_t microseconds) {
    CommandCount& count = counts_[row.index];
    ++count.calls;
    count.microseconds += microseconds;
}

void Records::count_error(std::string_view text) {
    const std::string_view code = text.substr(0, text.find(' '));
    const auto found = errors_.find(code);
    found == errors_.end() ? static_cast<void>(errors_.emplace(code, 1)) : static_cast<void>(++found->second);
}

void Records::forget_counts() {
    counts_.assign(counts_.size(), {});
    errors_.clear();
}

void Records::keep_slow(SlowCommand command, Arguments words) {
    command.id = last_slow_id_++;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i + 1 == kSlowWordsMax && words.size() > kSlowWordsMax) {
            command.words.push_back(fmt::format("... ({} more arguments)", words.size() - i));
            break;
        }
        const std::size_t left_out = words[i].size() > kSlowWordBytesMax ? words[i].size() - kSlowWordBytesMax : 0;
        command.words.emplace_back(words[i].substr(0, kSlowWordBytesMax));
        if (left_out > 0) command.words.back() += fmt::format("... ({} more bytes)", left_out);
    }
    slow_.push_front(std::move(command));
    while (slow_.size() > slow_max) slow_.pop_back();
}

}  // namespace tanist::server::resp
