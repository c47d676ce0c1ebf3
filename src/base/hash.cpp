// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <random>

#include "base/bytes.h"

namespace tanist {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t folded_hash(std::string_view text, std::uint64_t seed) {
    constexpr std::uint64_t kOdd = 0xe7037ed1a0b428db, kEnd = 0x8ebc6af09c88c6e3;
    const Bytes bytes = as_bytes(text);
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) seed = fold(seed ^ load_le<std::uint64_t>(bytes.data() + at), kOdd);
    std::uint64_t rest = 0;
    if (bytes.size() >= 8) {
        rest = load_le<std::uint64_t>(bytes.data() + bytes.size() - 8);  // overlaps what was taken: it only has to be told apart
    } else {
        for (std::size_t i = 0; i < bytes.size(); ++i) rest = rest << 8 | static_cast<std::uint64_t>(bytes[i]);
    }
    return fold(fold(seed ^ rest ^ kOdd, kEnd ^ bytes.size()), kOdd);
}

std::uint64_t process_secret() {
    static const std::uint64_t secret = [] {
        std::random_device device;
        return static_cast<std::uint64_t>(device()) << 32 | device();
    }();
    return secret;
}

}  // namespace tanist
