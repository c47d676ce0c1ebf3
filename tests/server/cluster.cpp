// SPDX-License-Identifier: Apache-2.0
#include "tests/server/cluster.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "base/ensure.h"
#include "server/logging.h"

namespace tanist::server::testing {

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return false;
}

PortReservation::PortReservation() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ENSURE(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    ENSURE(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
}

PortReservation::~PortReservation() { ::close(descriptor_); }

RunningServer::RunningServer(std::unique_ptr<Server> server)
    : server_(std::move(server)), thread_([this] { exit_code_ = server_->run(); }) {}

RunningServer::~RunningServer() {
    server_->stop();
    if (thread_.joinable()) thread_.join();
}

int RunningServer::shut_down() {
    server_->shut_down();
    thread_.join();
    return exit_code_;
}

Cluster::Cluster(std::size_t nodes, Change change) : change_(std::move(change)) {
    set_up_logging({.level = config::LogLevel::kWarn});
    for (std::size_t i = 0; i < nodes; ++i) {
        clients_.push_back(std::make_unique<PortReservation>());
        peers_.push_back(std::make_unique<PortReservation>());
    }
    servers_.resize(nodes);
    for (std::size_t node = 1; node <= nodes; ++node) start(node);
}

config::Config Cluster::config(std::size_t node) const {
    config::Config config;
    config.node.id = NodeId{node};
    config.node.role = node == 1 ? config::Role::kMaster : config::Role::kSlave;
    config.node.data_dir = directory_.path() + fmt::format("/node{}", node);
    config.listen = {.client = {"127.0.0.1", client_port(node)},
                     .peer = {"127.0.0.1", peer_port(node)},
                     .http = {"127.0.0.1", 0},
                     .sentinel = {"127.0.0.1", 0}};
    config.cluster.name = "test";
    for (std::size_t other = 1; other <= peers_.size(); ++other)
        config.cluster.nodes.push_back({NodeId{other}, {"127.0.0.1", peer_port(other)}});
    config.node.network_threads = 2;
    config.store.engine = config::StoreEngine::kMemory;
    config.wal.spare_segments = 0;
    config.wal.disk_reserve_bytes = 64 << 20;
    if (change_) change_(config);
    return config;
}

void Cluster::start(std::size_t node) {
    auto opened = Server::open(config(node));
    ASSERT_TRUE(opened) << opened.error().message;
    servers_.at(node - 1) = std::make_unique<RunningServer>(std::move(*opened));
}

void Cluster::kill(std::size_t node) { servers_.at(node - 1).reset(); }

std::size_t Cluster::await_master(std::size_t other_than) {
    std::size_t master = 0;
    const bool found = eventually([&] {
        for (std::size_t node = 1; node <= servers_.size(); ++node) {
            if (node == other_than || !is_running(node)) continue;
            if (resp(node).call({"SET", "await-master", "1"}) == "+OK\r\n") {
                master = node;
                return true;
            }
        }
        return false;
    });
    return found ? master : 0;
}

bool Cluster::await_reads(std::size_t node) {
    return eventually([&] { return resp(node).call({"GET", "nothing"}) == "$-1\r\n"; });
}

}  // namespace tanist::server::testing
