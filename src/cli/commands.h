// SPDX-License-Identifier: Apache-2.0
// The commands on keys: each asks the cluster, prints, and says how it ended.
#pragma once

#include "cli/arguments.h"
#include "cli/failure.h"
#include "cli/session.h"

namespace tanist::cli {

[[nodiscard]] Expected<Exit> run(Session& session, const GetCommand& get);
[[nodiscard]] Expected<Exit> run(Session& session, const PutCommand& put);
[[nodiscard]] Expected<Exit> run(Session& session, const DelCommand& del);
[[nodiscard]] Expected<Exit> run(Session& session, const CasCommand& cas);
[[nodiscard]] Expected<Exit> run(Session& session, const IncrCommand& incr);
[[nodiscard]] Expected<Exit> run(Session& session, const ScanCommand& scan);
[[nodiscard]] Expected<Exit> run(Session& session, const BatchCommand& batch);

}  // namespace tanist::cli
