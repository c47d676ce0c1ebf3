// SPDX-License-Identifier: Apache-2.0
// What MULTI, EXEC and WATCH remember of a connection.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "commands/request.h"
#include "server/resp/command.h"

namespace tanist::server::resp {

struct Transaction {
    struct Queued {
        const Command* command;  ///< of a container with subcommands, the container
        std::vector<std::string> words;
    };
    bool is_open = false;     ///< MULTI was said
    bool is_refused = false;  ///< a command could not be queued: EXEC will not execute the others
    bool writes = false;      ///< a command that was queued does
    std::vector<Queued> queued;
    std::size_t bytes = 0;  ///< of their words
    std::vector<commands::VersionEquals> watched;
};

/// Of a port's row, whether the command runs within an open transaction rather than being queued.
[[nodiscard]] bool runs_at_once(const CommandTable::Row& row);
/// Why the command may not be part of a transaction; empty: it may.
[[nodiscard]] std::string refuse_to_queue(const Transaction& transaction, const CommandTable::Row& row, Arguments arguments);

}  // namespace tanist::server::resp
