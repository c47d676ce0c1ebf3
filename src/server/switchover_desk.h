// SPDX-License-Identifier: Apache-2.0
// Who asked for a switchover, until it has ended (S17).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/membership.h"
#include "base/result.h"
#include "base/types.h"
#include "core/action.h"
#include "core/event.h"

namespace tanist::server {

/// Loop thread.
class SwitchoverDesk {
public:
    using Done = std::function<void(const Result<MemberId>& master)>;
    /// `request` may call back into on().
    explicit SwitchoverDesk(std::function<void(core::SwitchoverRequested)> request) : request_(std::move(request)) {}

    /// Hands mastership to `target`, or to the most up-to-date slave. `done` is called once, with the master that takes writes then.
    void ask(std::optional<NodeId> target, Done done) {
        waiting_.emplace(++last_token_, std::move(done));
        request_({last_token_, target});
    }
    void on(const core::SwitchoverEnded& action) {
        const auto asked = waiting_.extract(action.token);
        if (!asked.empty()) asked.mapped()(action.master);
    }

private:
    const std::function<void(core::SwitchoverRequested)> request_;
    std::map<std::uint64_t, Done> waiting_;
    std::uint64_t last_token_ = 0;
};

}  // namespace tanist::server
