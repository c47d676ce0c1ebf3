// SPDX-License-Identifier: Apache-2.0
// Whole files into the cluster and out of it, with many requests in flight.
#pragma once

#include "cli/arguments.h"
#include "cli/failure.h"
#include "cli/session.h"

namespace tanist::cli {

[[nodiscard]] Expected<Exit> run(Session& session, const ImportCommand& import_command);
[[nodiscard]] Expected<Exit> run(Session& session, const ExportCommand& export_command);

}  // namespace tanist::cli
