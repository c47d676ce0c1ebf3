// SPDX-License-Identifier: Apache-2.0
// Keys of many rows, within a bound of memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "commands/layout.h"

namespace tanist::commands {

/// The keys of users' rows, all in one piece of memory, so no allocation a key.
class RowKeys {
public:
    /// What whoever looks them up needs for them is counted, too.
    explicit RowKeys(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    [[nodiscard]] bool has_room(std::string_view key) const {
        constexpr std::size_t kBytesPerKey = sizeof(std::size_t) + 2 * sizeof(std::string_view) + 1;
        return ends_.empty() || text_.size() + key.size() + (ends_.size() + 1) * kBytesPerKey <= bytes_max_;
    }
    void add(std::string_view key) {
        layout::append_data_key(text_, key);
        ends_.push_back(text_.size());
    }
    void clear() {
        text_.clear();
        ends_.clear();
    }
    /// Valid until the next add() or clear().
    [[nodiscard]] std::vector<std::string_view> views() const {
        std::vector<std::string_view> views;
        views.reserve(ends_.size());
        for (std::size_t begin = 0; const std::size_t end : ends_) {
            views.push_back(std::string_view(text_).substr(begin, end - begin));
            begin = end;
        }
        return views;
    }

private:
    const std::size_t bytes_max_;
    std::string text_;
    std::vector<std::size_t> ends_;
};

}  // namespace tanist::commands
