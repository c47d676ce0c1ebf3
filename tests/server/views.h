// SPDX-License-Identifier: Apache-2.0
// What a core may show of itself.
#pragma once

#include "core/view.h"

namespace tanist::server {

/// A master that takes writes.
[[nodiscard]] inline core::View open_master() {
    core::View view;
    view.role = core::Role::kMaster;
    view.open = true;
    return view;
}

}  // namespace tanist::server
