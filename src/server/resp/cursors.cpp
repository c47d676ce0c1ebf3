// SPDX-License-Identifier: Apache-2.0
#include "server/resp/cursors.h"

#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace tanist::server::resp {

std::uint64_t Cursors::give_out(std::string_view key) {
    bytes_ += key.size();
    keys_.emplace_back(key);
    while (keys_.size() > kCursorsMax || bytes_ > kBytesMax) {
        bytes_ -= keys_.front().size();
        keys_.pop_front();
        ++first_;
    }
    return first_ + keys_.size() - 1;
}

std::string Cursors::translate(std::string_view word) const {
    constexpr std::string_view kNoCursor = "?";
    const std::string text(word);
    char* end = nullptr;
    errno = 0;
    const std::uint64_t number = std::strtoul(text.c_str(), &end, 10);  // what Redis takes for a number
    const bool begins_with_space = !text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0;
    if (begins_with_space || end != text.c_str() + text.size() || errno == ERANGE) return std::string(kNoCursor);
    if (number < first_ || number - first_ >= keys_.size()) return {};
    return "k" + keys_[number - first_];
}

}  // namespace tanist::server::resp
