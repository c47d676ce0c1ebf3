// SPDX-License-Identifier: Apache-2.0
#include "protocol/wire.h"

#include <algorithm>

namespace tanist::protocol::wire {
namespace {

/// The bytes of the character that starts at `at`; 0: none does. No overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t character_bytes(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned first = byte(at), second = byte(at + 1);
    std::size_t length = 0;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) length = 2;
    if (first >= 0xe0 && first <= 0xef && !(first == 0xe0 && second < 0xa0) && !(first == 0xed && second > 0x9f)) length = 3;
    if (first >= 0xf0 && first <= 0xf4 && !(first == 0xf0 && second < 0x90) && !(first == 0xf4 && second > 0x8f)) length = 4;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0) != 0x80) return 0;
    }
    return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_bytes(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

std::string utf8(std::string text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_bytes(text, at);
        if (length == 0) text[at] = '?';
        at += std::max<std::size_t>(length, 1);
    }
    return text;
}

}  // namespace tanist::protocol::wire
