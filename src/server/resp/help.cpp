// SPDX-License-Identifier: Apache-2.0
#include "server/resp/help.h"

#include <fmt/format.h>

#include "server/resp/docs.h"
#include "server/resp/session.h"

namespace tanist::server::resp {

void help(RespSession& session, Arguments arguments) {
    const CommandTable::Row& container = *session.services().port.commands.find(arguments[0]);
    std::vector<std::string> lines{fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", upper(container.name))};
    for (const CommandTable::Row* row : container.subcommands) {
        const Docs* docs = find_docs(row->name);
        const bool has_syntax = docs != nullptr && !docs->syntax.empty();
        lines.push_back(has_syntax ? fmt::format("{} {}", row->command->name, docs->syntax) : std::string(row->command->name));
        if (docs != nullptr) lines.push_back(fmt::format("    {}.", docs->summary));
    }
    session.reply([&](protocol::RespEncoder& to) {
        to.array(lines.size());
        for (const std::string& line : lines) to.simple(line);
    });
}

}  // namespace tanist::server::resp
