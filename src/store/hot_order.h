// SPDX-License-Identifier: Apache-2.0
// What the hot set has and the cold tier has not, in the order of the keys: for scans, and built only when one comes.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string_view>

#include "store/hot_generation.h"

namespace tanist::store {

/// Writes only leave a note in their generation; a scan brings in what was written since the one before under the first bytes that it
/// asks for (rows of one kind begin with the same byte, see commands/layout.h). So writes cost nothing here while nobody scans, and
/// a row of scans sorts nothing twice.
class HotOrder {
    struct ByKey {
        using is_transparent = void;
        static std::string_view key(const HotEntry* entry) { return entry->key(); }
        static std::string_view key(std::string_view text) { return text; }
        bool operator()(const auto& a, const auto& b) const { return key(a) < key(b); }
    };

public:
    using Entries = std::set<HotEntry*, ByKey>;

    /// The entries of all `generations` that are current, as far as keys in [begin, end) are concerned (empty: no upper bound); others
    /// may be among them. Valid until one of them is dropped or replaced.
    [[nodiscard]] const Entries& within(std::string_view begin, std::string_view end, const HotGenerations& generations);

    /// To be called before `entry` goes, or is no longer current.
    void drop(HotEntry* entry) {
        if (entry->is_in_order) drop_known(entry);
    }
    /// `now` takes the place of `before`, the same key in the same generation.
    void replace(HotEntry* before, HotEntry* now);
    /// A generation was frozen: the memory goes when nobody has scanned since the one before was.
    void age();

private:
    void drop_known(HotEntry* entry);

    Entries entries_;
    std::array<std::uint64_t, 256> known_through_{};  ///< by first byte of the key: entries below this sequence were brought in
    bool used_ = false;
};

}  // namespace tanist::store
