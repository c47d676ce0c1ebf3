// SPDX-License-Identifier: Apache-2.0
// Random messages of every kind: same seed, same message.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "core/message.h"
#include "protocol/client_message.h"

namespace tanist::protocol {

/// Numbers of every length, as varints tell lengths apart.
inline std::uint64_t draw_number(Random& random) { return random.next() >> random.below(64); }
inline std::string draw_bytes(Random& random, std::size_t bytes_max = 40) {
    std::string out(random.below(bytes_max + 1), '\0');
    for (char& c : out) c = static_cast<char>(random.next());
    return out;
}
inline std::string draw_text(Random& random) {
    std::string out(random.below(20), '\0');
    for (char& c : out) c = static_cast<char>(random.between(' ', '~'));
    return out;
}
inline bool draw_flag(Random& random) { return random.chance(1, 2); }
template <class Draw>
auto draw_optional(Random& random, Draw&& draw) {
    return draw_flag(random) ? std::optional(draw()) : std::nullopt;
}
template <class Draw>
auto draw_list(Random& random, Draw&& draw, std::size_t size_max = 5) {
    std::vector<decltype(draw())> out(random.below(size_max + 1));
    for (auto& one : out) one = draw();
    return out;
}
inline Rank draw_rank(Random& random) { return {{draw_number(random)}, {draw_number(random)}}; }
inline MemberId draw_member(Random& random) { return {{random.between(1, 0xffffffff)}, {random.between(1, UINT64_MAX - 1)}}; }

/// A body of the kind that stands at `kind` in core::Body, in a message that a decoder must take.
core::Message draw_message(Random& random, std::size_t kind);
/// Entries that follow `previous`, with a gap here and there where `gaps` says so.
std::vector<Entry> draw_entries(Random& random, Rank previous, bool gaps, std::size_t size_max = 4);

native::Request draw_request(Random& random, std::size_t kind);
native::Reply draw_reply(Random& random, std::size_t kind);

inline std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

}  // namespace tanist::protocol
