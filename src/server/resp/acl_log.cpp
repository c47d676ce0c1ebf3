// SPDX-License-Identifier: Apache-2.0
#include "server/resp/acl_log.h"

#include <algorithm>
#include <utility>

namespace tanist::server::resp {
namespace {

constexpr std::uint64_t kSameForMs = 60'000;
constexpr std::size_t kObjectBytesMax = 256;  ///< of a key, say

}  // namespace

void AclLog::add(AclEvent event) {
    event.object.resize(std::min(event.object.size(), kObjectBytesMax));
    const auto same = std::ranges::find_if(events_, [&](const AclEvent& each) {
        return each.reason == event.reason && each.context == event.context && each.object == event.object && each.user == event.user &&
               event.at_ms - each.at_ms <= kSameForMs;
    });
    if (same != events_.end()) {
        event.count += same->count;
        events_.erase(same);
    }
    events_.push_front(std::move(event));
    if (events_.size() > events_max) events_.resize(events_max);
}

}  // namespace tanist::server::resp
