// SPDX-License-Identifier: Apache-2.0
// A node's data directory, opened: identity, vote, log and store, judged together before anything is sent.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "commands/state_machine.h"
#include "core/node.h"
#include "store/store.h"
#include "wal/file_system.h"
#include "wal/log.h"
#include "wal/vote_file.h"

namespace tanist::replica {

struct DataDirectoryOptions {
    std::string path;  ///< holds wal/, vote.a, vote.b, identity, rescued/; the shell has locked it
    NodeId node;       ///< node.id
    std::size_t configured_voters = 1;
    wal::LogOptions log;
};

struct DataDirectory {
    std::string path;
    std::unique_ptr<wal::VoteFile> votes;
    std::unique_ptr<wal::Log> log;
    std::unique_ptr<commands::StateMachine> state;
    core::StartState start;
};

/// `store` was opened by the shell (empty when it was missing) and must outlive the result. `seed` draws a new incarnation
/// where one is due, and use ids. Errors are for an operator, to be answered by exit code 3: another node's directory, an
/// unreadable identity, corruption that the only voter cannot repair, a log that ends below what the store has applied.
[[nodiscard]] Result<DataDirectory> open_data_directory(wal::FileSystem& files, store::Store& store, const DataDirectoryOptions& options,
                                                        std::uint64_t seed);

}  // namespace tanist::replica
