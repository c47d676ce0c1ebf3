// SPDX-License-Identifier: Apache-2.0
// What every node answers over HTTP: /livez, /readyz, /version and /metrics.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "metrics/registry.h"

namespace tanist::http {

struct Readiness {
    bool ready = false;
    std::string reason;  ///< for a person: "serves reads", "never was in sync with a master"
};

/// /livez answers 200 as long as the thread that serves it does. /readyz asks `readiness` in that thread: 200 or 503, with the reason.
/// /version names program and version as JSON. `registry` must outlive the routes.
[[nodiscard]] std::vector<Route> standard_routes(metrics::Registry& registry, std::string_view version,
                                                 std::function<Readiness()> readiness);

}  // namespace tanist::http
