// SPDX-License-Identifier: Apache-2.0
// What COMMAND DOCS and HELP say about commands, beside what their rows do.
#pragma once

#include <string_view>

namespace tanist::server::resp {

struct Docs {
    std::string_view name;     ///< as in CommandTable::Row
    std::string_view since;    ///< the version of Redis that brought it; "" for ours
    std::string_view syntax;   ///< of what follows the name: words in capitals are said, the others stand for something; [ ] | … as usual
    std::string_view summary;  ///< a phrase without a full stop
};

/// Null: there are none.
[[nodiscard]] const Docs* find_docs(std::string_view name);

}  // namespace tanist::server::resp
