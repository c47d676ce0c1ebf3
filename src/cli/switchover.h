// SPDX-License-Identifier: Apache-2.0
// `tanist switchover`: mastership goes to another node by plan.
#pragma once

#include "cli/arguments.h"
#include "cli/failure.h"
#include "cli/session.h"

namespace tanist::cli {

[[nodiscard]] Expected<Exit> run(Session& session, const SwitchoverCommand& switchover);

}  // namespace tanist::cli
