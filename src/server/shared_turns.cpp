// SPDX-License-Identifier: Apache-2.0
#include "server/shared_turns.h"

#include <algorithm>

namespace tanist::server {
namespace {

/// For so much work of its own a thread is woken: several times what that takes.
constexpr std::chrono::microseconds kWorthAThread{20};
constexpr int kMemory = 8;  ///< the newest share counts one part in so many

}  // namespace

void SharedTurns::Cost::note(const NetworkThreads::Own& own) {
    const auto latest = own.parts > 0 ? own.took / own.parts : std::chrono::nanoseconds(0);  // of what others did nothing is known
    each += (latest - each) / kMemory;
}

bool SharedTurns::share(std::size_t connections, Cost& cost, const ForConnection& work) {
    const auto worth = static_cast<std::uint64_t>(cost.each * connections / kWorthAThread);
    const auto threads =
        static_cast<unsigned>(std::max<std::uint64_t>(1, std::min<std::uint64_t>({worth, connections, threads_.threads()})));
    cost.note(threads_.share(static_cast<std::uint32_t>(connections), threads, work));
    return threads > 1;
}

void SharedTurns::receive(std::size_t connections, const ForConnection& receive_one) {
    store_.share_reads(true);
    is_shared_ = share(connections, receiving_, receive_one);
    store_.share_reads(false);
    if (!is_shared_) return;
    ++counts_.turns;
    counts_.receives += connections;
}

void SharedTurns::send(std::size_t connections, const ForConnection& send_one) {
    if (!has_helpers()) {  // nor is there a cost to learn
        for (std::size_t i = 0; i < connections; ++i) send_one(i);
    } else if (share(connections, sending_, send_one)) {
        counts_.sends += connections;
    }
}

}  // namespace tanist::server
