// SPDX-License-Identifier: Apache-2.0
// One node as a running server: everything put together, from the data directory to the ports.
#pragma once

#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "base/result.h"
#include "config/config.h"
#include "config/load.h"
#include "http/http_server.h"
#include "http/standard_routes.h"
#include "metrics/registry.h"
#include "replica/replica.h"
#include "server/by_hand.h"
#include "server/client_listener.h"
#include "server/client_services.h"
#include "server/forwarding.h"
#include "server/idle_poller.h"
#include "server/loop.h"
#include "server/peer_links.h"
#include "server/read_gate.h"
#include "server/replica_host.h"
#include "server/resp/administration.h"
#include "server/resp/cursors.h"
#include "server/resp/info.h"
#include "server/resp/port.h"
#include "server/routing.h"
#include "server/sentinel/watch.h"
#include "server/server_metrics.h"
#include "server/shared_turns.h"
#include "server/switchover_desk.h"
#include "server/users.h"
#include "server/write_path.h"
#include "store/store.h"
#include "wal/data_directory_lock.h"
#include "wal/posix_file_system.h"

namespace tanist::server {

inline constexpr int kExitClean = 0, kExitConfiguration = 2, kExitDataDirectory = 3, kExitStorageFault = 4;

struct StartFailure {
    int exit_code = kExitConfiguration;
    std::string message;
};

/// run() makes the calling thread the loop thread; everything else that is not marked otherwise belongs to that thread too.
class Server {
public:
    /// Locks and opens the data directory, and listens. `config` has been validated.
    [[nodiscard]] static tl::expected<std::unique_ptr<Server>, StartFailure> open(config::Config config, const ByHand& by_hand = {});
    /// After run() has returned, or before it was called. What is under way is left as a crash would leave it, unless it was shut down.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Serves until it is stopped; returns the exit code.
    [[nodiscard]] int run();
    /// Ends run() at once, as a crash would: nothing more is answered or written. Any thread.
    void stop();
    /// A master hands over first (S17). Then: takes no more writes, answers what is pending, ends run(). Any thread.
    void shut_down();
    /// Takes over what can be changed while running; the rest is named in the log. Any thread.
    void reload(config::Config config);
    /// What its configuration was made of, for CONFIG REWRITE. Before run().
    void set_config_source(config::LoadRequest source) { config_source_ = std::move(source); }

    [[nodiscard]] asio::io_context& io() { return loop_->io(); }
    /// Ports as bound, where the configuration said 0.
    [[nodiscard]] std::uint16_t client_port() const { return client_port_; }
    /// 0: not served.
    [[nodiscard]] std::uint16_t sentinel_port() const { return sentinel_clients_.port(); }
    [[nodiscard]] std::uint16_t http_port() const { return http_ ? http_->port() : 0; }
    /// Why run() has returned something else than 0.
    [[nodiscard]] const std::string& stop_reason() const { return stop_reason_; }

private:
    struct Opened;
    Server(config::Config config, const ByHand& by_hand, Opened opened);

    [[nodiscard]] Status listen_http();
    [[nodiscard]] Status take_users(bool from_configuration);
    [[nodiscard]] ClientServices services_of(resp::Port& port, ConnectionShared& connections, const sentinel::Watch* sentinel);
    void apply_settings();
    void users_changed(bool anew);
    void step(core::Event event);
    void propose(core::Proposal proposal);
    void executed(std::span<const commands::Applied> applied);
    void end_of_turn();
    [[nodiscard]] bool is_a_lone_request_under_way() const;
    void start_ticking();
    void tick(std::uint64_t now_ms);
    void on_view_changed();
    void on_stepped_down();
    void part_clients(std::uint64_t now_ms);
    void for_resp_clients(std::function<void(ClientConnection&)> what);
    void advance_shutdown();
    void on_stop(int exit_code, const std::string& reason);
    /// Ends connections and log in good order; run() returns when that is done, or has taken too long.
    void end_cleanly();
    void finish();
    [[nodiscard]] http::Readiness readiness() const;
    [[nodiscard]] std::string info(resp::Arguments sections, bool of_sentinel);
    [[nodiscard]] resp::Administration administration();
    void take_over(config::Config config);
    [[nodiscard]] Status store_state();
    /// What is due about clients once a tick.
    void tick_clients(std::uint64_t now_ms);

    config::Config config_;
    config::LoadRequest config_source_;
    std::uint64_t started_ms_;

    // From the ground up; the destructor goes the other way.
    wal::DataDirectoryLock lock_;
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<wal::PosixFileSystem> files_;
    std::unique_ptr<store::Store> store_;
    SharedTurns shared_turns_;
    IdlePoller idle_poller_;
    metrics::Registry registry_;
    Counters counters_;
    Routing routing_;
    Forwarding forwarding_;
    WritePath writes_;
    ReadGate reads_;
    SwitchoverDesk switchovers_;
    PeerLinks links_;
    ReplicaHost host_;
    replica::Replica replica_;
    ClientSettings settings_;
    ConnectionShared connections_;
    resp::Cursors cursors_;
    resp::Port port_, sentinel_port_;
    resp::Acl acl_;
    Users users_;
    sentinel::Watch sentinel_;
    ConnectionShared sentinel_connections_;
    const resp::Administration administration_;
    ClientServices services_, sentinel_services_;
    ClientListener clients_, sentinel_clients_;
    ServerMetrics server_metrics_;
    asio::steady_timer tick_timer_, end_timer_;
    std::unique_ptr<http::HttpServer> http_;

    std::uint16_t client_port_ = 0;
    /// What INFO counts, when CONFIG RESETSTAT was said last.
    struct Baseline {
        commands::KeyStatistics keys;
        resp::Traffic traffic;
        std::uint64_t accepted = 0, refused = 0;
    } baseline_;
    resp::Traffic traffic_, traffic_per_second_;  ///< as of the last connection tick, and in the second before it
    Lsn storing_;                                 ///< what a SAVE has asked to be stored
    std::uint64_t last_stored_at_ = 0;            ///< seconds since 1970
    bool tick_due_ = false;
    std::uint64_t last_tick_ms_ = 0;  ///< when the last one delivered was due
    core::Role last_role_ = core::Role::kSlave;
    bool was_pausing_ = false;
    std::uint64_t stepped_down_ms_ = 0;
    std::uint64_t parting_until_ms_ = 0;  ///< 0: no clients are sent to another master
    bool shutting_down_ = false, ending_ = false;
    unsigned hand_overs_ = 0;  ///< asked for by a shutdown
    bool stop_requested_ = false;
    std::uint64_t ticks_ = 0;
    std::optional<int> exit_code_;
    std::string stop_reason_;
};

}  // namespace tanist::server
