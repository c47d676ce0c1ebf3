// SPDX-License-Identifier: Apache-2.0
// Whole servers in this process, on loopback ports of their own, with data in a temporary directory.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "config/config.h"
#include "server/server.h"
#include "tests/server/client.h"
#include "tests/temporary_directory.h"

namespace tanist::server::testing {

/// Generous, for sanitizers on busy machines: a test that passes does not wait for it.
inline constexpr std::chrono::seconds kPatience{60};

/// True as soon as `condition` holds; false when it does not within kPatience. Not a sleep: whoever waits asks a server again and
/// again, and each answer takes as long as the server takes.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

/// A loopback port that nobody else gets while this lives; a server of this test may listen on it, again and again.
class PortReservation {
public:
    PortReservation();
    ~PortReservation();
    PortReservation(const PortReservation&) = delete;
    PortReservation& operator=(const PortReservation&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int descriptor_ = -1;
    std::uint16_t port_ = 0;
};

/// A server on a thread of its own.
class RunningServer {
public:
    explicit RunningServer(std::unique_ptr<Server> server);
    /// Ends it as a crash would.
    ~RunningServer();
    /// As SIGTERM does; returns the exit code.
    int shut_down();
    Server& operator*() { return *server_; }
    Server* operator->() { return server_.get(); }

private:
    std::unique_ptr<Server> server_;
    std::thread thread_;
    int exit_code_ = -1;
};

/// Nodes 1 .. n; node 1 is the first master. A node that is killed can be started again on its data.
class Cluster {
public:
    using Change = std::function<void(config::Config&)>;
    explicit Cluster(std::size_t nodes, Change change = {});

    void start(std::size_t node);
    void kill(std::size_t node);
    [[nodiscard]] Server& server(std::size_t node) { return **servers_.at(node - 1); }
    [[nodiscard]] RunningServer& running(std::size_t node) { return *servers_.at(node - 1); }
    [[nodiscard]] bool is_running(std::size_t node) const { return servers_.at(node - 1) != nullptr; }
    [[nodiscard]] config::Config config(std::size_t node) const;

    [[nodiscard]] std::uint16_t client_port(std::size_t node) const { return clients_.at(node - 1)->port(); }
    [[nodiscard]] std::uint16_t peer_port(std::size_t node) const { return peers_.at(node - 1)->port(); }
    [[nodiscard]] RespClient resp(std::size_t node) const { return RespClient(client_port(node)); }
    [[nodiscard]] NativeClient native(std::size_t node) const { return NativeClient(client_port(node)); }

    /// Waits for a running node that takes writes; returns its number, 0 when none came up.
    [[nodiscard]] std::size_t await_master(std::size_t other_than = 0);
    /// Waits until `node` serves session reads.
    [[nodiscard]] bool await_reads(std::size_t node);

private:
    TemporaryDirectory directory_;
    Change change_;
    std::vector<std::unique_ptr<PortReservation>> clients_, peers_;
    std::vector<std::unique_ptr<RunningServer>> servers_;
};

}  // namespace tanist::server::testing
