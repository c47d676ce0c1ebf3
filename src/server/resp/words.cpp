// SPDX-License-Identifier: Apache-2.0
#include "server/resp/words.h"

#include <fmt/format.h>

namespace tanist::server::resp {

std::string quoted(std::string_view word) {
    std::string shown = "\"";
    for (const char c : word) {
        switch (c) {
            case '\\':
            case '"': shown += {'\\', c}; break;
            case '\n': shown += "\\n"; break;
            case '\r': shown += "\\r"; break;
            case '\t': shown += "\\t"; break;
            case '\a': shown += "\\a"; break;
            case '\b': shown += "\\b"; break;
            default:
                if (c >= ' ' && c <= '~') {
                    shown += c;
                } else {
                    shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
                }
        }
    }
    return shown + "\"";
}

}  // namespace tanist::server::resp
