// SPDX-License-Identifier: Apache-2.0
// What the operating system knows of this process: memory, processor time, open files.
#pragma once

#include "metrics/registry.h"

namespace tanist::metrics {

/// From now on the process_* metrics are read from /proc before each text(). Once for each registry, which must outlive its texts.
void collect_process_metrics(Registry& registry);

}  // namespace tanist::metrics
