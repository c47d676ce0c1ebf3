// SPDX-License-Identifier: Apache-2.0
// The client port and the Sentinel port: each takes connections up to the limit, and finds out by the first byte what they speak.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>

#include "protocol/frame.h"
#include "server/client_services.h"
#include "server/sockets.h"

namespace tanist::server {

class ClientListener {
public:
    ClientListener(tcp::acceptor acceptor, ClientServices& services, std::size_t connections_max);
    ~ClientListener();
    ClientListener(const ClientListener&) = delete;
    ClientListener& operator=(const ClientListener&) = delete;

    void start() { acceptor_.start(); }
    /// Takes no more connections; those there are go on.
    void close() { acceptor_.close(); }
    void set_connections_max(std::size_t connections) { connections_max_ = connections; }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.port(); }

private:
    /// Connections that have not said anything yet.
    struct Silent {
        tcp::socket socket;
    };

    void listen_to_first_byte(tcp::socket socket);
    void wait_for_first_byte(const std::shared_ptr<Silent>& silent);
    void open(tcp::socket socket, protocol::Dialect dialect);
    void refuse(tcp::socket socket, protocol::Dialect dialect);

    Acceptor acceptor_;
    ClientServices& services_;
    std::size_t connections_max_;
    std::uint64_t last_id_ = 0;
    std::unordered_set<std::shared_ptr<Silent>> silent_;
};

}  // namespace tanist::server
