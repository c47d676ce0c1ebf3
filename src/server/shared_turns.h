// SPDX-License-Identifier: Apache-2.0
// Shares out among the network threads what a turn does for many clients (docs/decisions/0016-network-threads.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "server/network_threads.h"
#include "store/store.h"

namespace tanist::server {

/// Loop thread. What is shared changes one connection a call, and nothing else: everything that connections have in common stands still
/// meanwhile.
class SharedTurns {
public:
    /// `threads` as NetworkThreads. Both must outlive this: `store` is read by the threads.
    SharedTurns(unsigned threads, store::Store& store) : threads_(threads), store_(store) {}

    /// There are threads to share with.
    [[nodiscard]] bool has_helpers() const { return threads_.threads() > 1; }

    using ForConnection = std::function<void(std::size_t connection)>;
    /// Receives, and reads the state, for so many connections.
    void receive(std::size_t connections, const ForConnection& receive_one);
    /// What receive() did last was done by several threads.
    [[nodiscard]] bool is_shared() const { return is_shared_; }
    /// Sends for so many connections.
    void send(std::size_t connections, const ForConnection& send_one);

    struct Counts {
        std::uint64_t turns = 0;                ///< in which clients were received from on several threads
        std::uint64_t receives = 0, sends = 0;  ///< of connections, that were shared
    };
    [[nodiscard]] const Counts& counts() const { return counts_; }
    [[nodiscard]] unsigned threads() const { return threads_.threads(); }

private:
    /// What one connection takes, by those before it.
    struct Cost {
        std::chrono::nanoseconds each{0};

        void note(const NetworkThreads::Own& own);
    };
    /// True: on several threads.
    bool share(std::size_t connections, Cost& cost, const ForConnection& work);

    NetworkThreads threads_;
    store::Store& store_;
    Cost receiving_, sending_;
    bool is_shared_ = false;
    Counts counts_;
};

}  // namespace tanist::server
