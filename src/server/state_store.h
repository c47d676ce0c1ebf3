// SPDX-License-Identifier: Apache-2.0
// The state store as the configuration wants it: opened, or given up where another node can give a copy of it.
#pragma once

#include <memory>

#include "base/result.h"
#include "config/config.h"
#include "store/store.h"

namespace tanist::server {

/// A store that cannot be read, or that was condemned, is given up where the cluster has other nodes: the log, or a full copy, replaces it.
[[nodiscard]] Result<std::unique_ptr<store::Store>> open_state_store(const config::Config& config);

/// Part of the store on disk turned out to be corrupt: leaves a mark, by which the next start gives it up. Otherwise each read of that
/// part would end the process again. Does nothing where this is the only node: what can still be read is all there is.
void condemn_state_store(const config::Config& config);

}  // namespace tanist::server
