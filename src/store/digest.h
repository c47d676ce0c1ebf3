// SPDX-License-Identifier: Apache-2.0
// The digest of a set of rows, whatever their order, for comparing the states of nodes (S26).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace tanist::store {

/// Every kind of store, on every node and in every version, gives the same rows the same digest: this must never change.
/// Rows are hashed by folded multiplication (as wyhash does) and the hashes added up, so that order does not count.
class Digest {
public:
    void add(std::string_view key, std::string_view value) { sum_ += hash(value, hash(key, kSeed)); }
    [[nodiscard]] std::uint64_t value() const { return sum_; }

private:
    __extension__ using Wide = unsigned __int128;
    static constexpr std::uint64_t kSeed = 0xa0761d6478bd642f, kOdd = 0xe7037ed1a0b428db, kEnd = 0x8ebc6af09c88c6e3;

    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
        const Wide product = static_cast<Wide>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    static std::uint64_t hash(std::string_view text, std::uint64_t seed) {
        const Bytes bytes = as_bytes(text);
        std::size_t at = 0;
        for (; at + 8 <= bytes.size(); at += 8) seed = fold(seed ^ load_le<std::uint64_t>(bytes.data() + at), kOdd);
        std::uint64_t rest = 0;
        if (at < bytes.size()) std::memcpy(&rest, bytes.data() + at, bytes.size() - at);
        return fold(seed ^ rest ^ kOdd, kEnd ^ bytes.size());
    }
    std::uint64_t sum_ = 0;
};

}  // namespace tanist::store
