// SPDX-License-Identifier: Apache-2.0
#include "client/timers.h"

namespace tanist::client {

Timers::Id Timers::at(Clock::time_point when, std::function<void()> what) {
    const Id id{when, next_id_++};
    waiting_.emplace(id, std::move(what));
    if (when < armed_for_) arm(when);  // a later one is armed when the earlier has fired: most deadlines are cancelled before
    return id;
}

void Timers::stop() {
    waiting_.clear();
    timer_.cancel();
}

void Timers::arm(Clock::time_point when) {
    armed_for_ = when;
    timer_.expires_at(when);
    timer_.async_wait([this](const asio::error_code& error) {
        if (!error) run_due();
    });
}

void Timers::run_due() {
    armed_for_ = Clock::time_point::max();
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.begin()->first.first <= now) {
        const auto due = waiting_.extract(waiting_.begin());
        due.mapped()();
    }
    if (!waiting_.empty() && waiting_.begin()->first.first < armed_for_) arm(waiting_.begin()->first.first);
}

}  // namespace tanist::client
