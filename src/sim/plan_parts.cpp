// SPDX-License-Identifier: Apache-2.0
// What of a plan can be left out by itself.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/plan.h"

namespace tanist::sim {
namespace {

/// Something that the simplest load or network does not have.
struct NamedPart {
    std::string_view name;
    bool (*present)(const Plan&);
    void (*leave_out)(Plan&);
};

template <std::uint32_t LoadPlan::* Weight>
constexpr NamedPart operation(std::string_view name) {
    return {name, [](const Plan& p) { return p.load.*Weight > 0; }, [](Plan& p) { p.load.*Weight = 0; }};
}
template <std::uint32_t NetworkPlan::* Share>
constexpr NamedPart misfortune(std::string_view name) {
    return {name, [](const Plan& p) { return p.network.*Share > 0; }, [](Plan& p) { p.network.*Share = 0; }};
}

/// Increments stay, for something must be written.
constexpr std::array kNamedParts = {
    operation<&LoadPlan::puts>("puts"),
    operation<&LoadPlan::deletes>("deletes"),
    operation<&LoadPlan::compare_and_sets>("compare_and_sets"),
    operation<&LoadPlan::batches>("batches"),
    operation<&LoadPlan::reads>("reads"),
    operation<&LoadPlan::scans>("scans"),
    operation<&LoadPlan::level_master>("level_master"),
    operation<&LoadPlan::level_all>("level_all"),
    misfortune<&NetworkPlan::loss>("loss"),
    misfortune<&NetworkPlan::duplicate>("duplicates"),
    misfortune<&NetworkPlan::reorder>("reordering"),
    misfortune<&NetworkPlan::entry_bytes_per_ms>("narrow_links"),
    NamedPart{"pipeline", [](const Plan& p) { return p.load.pipeline > 1; }, [](Plan& p) { p.load.pipeline = 1; }},
    NamedPart{"expiry", [](const Plan& p) { return p.load.session_lifetime_ms > 0; }, [](Plan& p) { p.load.session_lifetime_ms = 0; }},
    NamedPart{"drift", [](const Plan& p) { return std::ranges::any_of(p.nodes, [](const NodePlan& n) { return n.drift_ppm != 0; }); },
              [](Plan& p) {
                  for (NodePlan& node : p.nodes) node.drift_ppm = 0;
              }},
};

bool has(const Parts& parts, std::string_view part) { return std::ranges::find(parts, part) != parts.end(); }

std::string client_part(std::uint32_t client) { return fmt::format("client{}", client); }

}  // namespace

Parts parts_of(const Plan& plan) {
    Parts parts;
    for (const Fault& fault : plan.faults) parts.push_back(std::to_string(fault.number));
    for (std::uint32_t client = 2; client <= plan.load.clients; ++client) parts.push_back(client_part(client));
    for (const NamedPart& part : kNamedParts) {
        if (part.present(plan)) parts.emplace_back(part.name);
    }
    return parts;
}

Plan with_only(Plan plan, const Parts& kept) {
    std::erase_if(plan.faults, [&](const Fault& fault) { return !has(kept, std::to_string(fault.number)); });
    std::uint32_t clients = 1;
    for (std::uint32_t client = 2; client <= plan.load.clients; ++client) clients += has(kept, client_part(client)) ? 1 : 0;
    plan.load.clients = clients;
    for (const NamedPart& part : kNamedParts) {
        if (!has(kept, part.name)) part.leave_out(plan);
    }
    return plan;
}

std::string strange_part(const Plan& plan, const Parts& parts) {
    const Parts all = parts_of(plan);
    const auto strange = std::ranges::find_if(parts, [&](const std::string& part) { return !has(all, part); });
    return strange == parts.end() ? "" : *strange;
}

}  // namespace tanist::sim
