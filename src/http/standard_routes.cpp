// SPDX-License-Identifier: Apache-2.0
#include "http/standard_routes.h"

#include <fmt/format.h>

namespace tanist::http {

std::vector<Route> standard_routes(metrics::Registry& registry, std::string_view version, std::function<Readiness()> readiness) {
    registry.gauge(metrics::Metric::kBuildInfo, version).set(1);
    metrics::Gauge& ready_gauge = registry.gauge(metrics::Metric::kReady);
    const std::string version_json = fmt::format("{{\"name\":\"tanist\",\"version\":\"{}\"}}\n", version);

    return {
        {"/livez", [](const HttpRequest&) { return HttpResponse{.body = "alive\n"}; }},
        {"/readyz",
         [readiness](const HttpRequest&) {
             const Readiness now = readiness();
             return HttpResponse{.status = now.ready ? 200 : 503, .body = now.reason + "\n"};
         }},
        {"/version", [version_json](const HttpRequest&) { return HttpResponse{.body = version_json, .content_type = "application/json"}; }},
        {"/metrics",
         [&registry, &ready_gauge, readiness](const HttpRequest&) {
             ready_gauge.set(readiness().ready ? 1 : 0);
             return HttpResponse{.body = registry.text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
         }},
    };
}

}  // namespace tanist::http
