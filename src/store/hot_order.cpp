// SPDX-License-Identifier: Apache-2.0
#include "store/hot_order.h"

#include <algorithm>
#include <vector>

#include "base/ensure.h"

namespace tanist::store {
namespace {

std::uint8_t first_byte(std::string_view key) { return static_cast<std::uint8_t>(key.front()); }

/// The last first byte that a key below `end` can have.
std::uint8_t last_byte_before(std::string_view end) {
    if (end.empty()) return 255;
    const std::uint8_t byte = first_byte(end);
    return end.size() == 1 && byte > 0 ? static_cast<std::uint8_t>(byte - 1) : byte;
}

}  // namespace

const HotOrder::Entries& HotOrder::within(std::string_view begin, std::string_view end, const HotGenerations& generations) {
    used_ = true;
    const std::size_t low = begin.empty() ? 0 : first_byte(begin), high = last_byte_before(end);
    if (low > high) return entries_;
    const std::uint64_t through = generations.back()->first_sequence + generations.back()->entries.size();
    const std::uint64_t from = *std::min_element(known_through_.begin() + static_cast<std::ptrdiff_t>(low),
                                                 known_through_.begin() + static_cast<std::ptrdiff_t>(high) + 1);
    std::vector<HotEntry*> found;
    for (const auto& generation : generations) {
        const auto& entries = generation->entries;
        const std::uint64_t skipped = from > generation->first_sequence ? from - generation->first_sequence : 0;
        for (std::size_t i = skipped; i < entries.size(); ++i) {
            HotEntry* entry = entries[i];
            if (entry == nullptr || entry->state == HotState::kOrphan || entry->is_in_order) continue;
            const std::uint8_t byte = first_byte(entry->key());
            if (byte < low || byte > high || generation->first_sequence + i < known_through_[byte]) continue;
            entry->is_in_order = true;
            found.push_back(entry);
        }
    }
    for (std::size_t byte = low; byte <= high; ++byte) known_through_[byte] = through;
    std::ranges::sort(found, ByKey());
    for (auto hint = entries_.end(); HotEntry * entry : found) hint = std::next(entries_.insert(hint, entry));
    return entries_;
}

void HotOrder::drop_known(HotEntry* entry) {
    ENSURE(entries_.erase(entry) == 1);
    entry->is_in_order = false;
}

void HotOrder::replace(HotEntry* before, HotEntry* now) {
    now->is_in_order = before->is_in_order;
    if (!before->is_in_order) return;
    auto node = entries_.extract(before);
    node.value() = now;
    entries_.insert(std::move(node));
}

void HotOrder::age() {
    if (std::exchange(used_, false) || entries_.empty()) return;
    for (HotEntry* entry : entries_) entry->is_in_order = false;
    entries_.clear();
    known_through_.fill(0);
}

}  // namespace tanist::store
