// SPDX-License-Identifier: Apache-2.0
// `tanist status`: the cluster as a table, or as JSON.
#pragma once

#include <string>

#include "cli/arguments.h"
#include "cli/failure.h"
#include "cli/session.h"
#include "tanist/requests.h"

namespace tanist::cli {

[[nodiscard]] Expected<Exit> run(Session& session, const StatusCommand& status);

/// One line; its fields are a contract (DESIGN.md §5): {"cluster","epoch","master","nodes":[{"id","role","state","client",
/// "rank":{"epoch","lsn"},"commit_lsn","applied_lsn","lag_ms","lag_entries"}]} and some more. What is not known is null.
[[nodiscard]] std::string status_json(const client::ClusterStatus& status);
[[nodiscard]] std::string status_table(const client::ClusterStatus& status);

}  // namespace tanist::cli
