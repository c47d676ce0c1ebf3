// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "base/limits.h"
#include "base/random.h"
#include "config/load.h"
#include "config/rewrite.h"
#include "config/version.h"
#include "http/standard_routes.h"
#include "metrics/process.h"
#include "replica/warm_up.h"
#include "server/clock.h"
#include "server/control_group.h"
#include "server/logging.h"
#include "server/options.h"
#include "server/resp/command.h"
#include "server/sentinel/commands.h"
#include "server/sentinel/rows.h"
#include "server/state_store.h"
#include "server/status.h"
#include "server/user_files.h"
#include "store/hot_store.h"

namespace tanist::server {
namespace {

/// How long a shutdown may take: the core to answer what is pending, then the clients to take their answers.
constexpr std::chrono::seconds kShutdownTime{5}, kFarewellTime{1}, kWarmUpTime{2};
constexpr std::uint64_t kConnectionTickEvery = 100;  ///< ticks
constexpr unsigned kHandOversMax = 2;                ///< attempts of a master that shuts down, before it goes without

tl::unexpected<StartFailure> failed(int exit_code, const Error& error) { return tl::unexpected(StartFailure{exit_code, error.message}); }

/// Of what kept the store or the data directory from being opened.
int exit_code_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::kInvalidArgument: return kExitConfiguration;
        case ErrorCode::kIo: return kExitStorageFault;  // the folder is ours by now: it is the disk under it that failed
        default: return kExitDataDirectory;
    }
}

std::uint16_t port_of(const tcp::acceptor& acceptor) {
    asio::error_code error;
    const tcp::endpoint local = acceptor.local_endpoint(error);
    return error ? 0 : local.port();
}

/// As others must use them, with the bound port where the configuration left it to the system.
Addresses addresses_of(const config::Config& config, const tcp::acceptor& clients, const tcp::acceptor& peers,
                       const tcp::acceptor& sentinel) {
    const auto fill_in = [](std::string& address, const tcp::acceptor& acceptor) {
        if (address.ends_with(":0")) address = address.substr(0, address.size() - 1) + std::to_string(port_of(acceptor));
    };
    Addresses addresses = config.addresses();
    fill_in(addresses.client, clients);
    fill_in(addresses.peer, peers);
    fill_in(addresses.sentinel, sentinel);
    return addresses;
}

std::chrono::microseconds idle_poll_time(const config::Config& config) {
    if (config.node.idle_poll.count() == 0 || !cpu_quota()) return config.node.idle_poll;
    spdlog::info("no idle polling: a control group limits the processor time");
    return {};
}

}  // namespace

// -- opening ------------------------------------------------------------------------------------------------------------------------

/// What open() found and bound, before the server is made of it.
struct Server::Opened {
    wal::DataDirectoryLock lock;
    std::unique_ptr<Loop> loop;
    tcp::acceptor clients, peers, sentinel;
    Addresses addresses;
    std::unique_ptr<wal::PosixFileSystem> files;
    std::unique_ptr<store::Store> store;
    replica::DataDirectory directory;
    std::string peer_password;
    std::uint64_t seed;
};

tl::expected<std::unique_ptr<Server>, StartFailure> Server::open(config::Config config, const ByHand& by_hand) {
    auto peer_password = secret_of(config.security.peer_password, config.security.peer_password_file, "peer_password");
    if (!peer_password) return failed(kExitConfiguration, peer_password.error());
    auto lock = wal::DataDirectoryLock::acquire(config.node.data_dir.string());
    if (!lock) return failed(kExitDataDirectory, lock.error());
    auto loop = std::make_unique<Loop>();
    tcp::acceptor clients(loop->io()), peers(loop->io()), sentinel(loop->io());
    if (Status listening = listen_on(clients, config.listen.client, "listen.client"); !listening)
        return failed(kExitConfiguration, listening.error());
    if (Status listening = listen_on(peers, config.listen.peer, "listen.peer"); !listening)
        return failed(kExitConfiguration, listening.error());

    if (Status listening = listen_on(sentinel, config.listen.sentinel, "listen.sentinel"); !listening)
        return failed(kExitConfiguration, listening.error());

    const std::uint64_t began_ms = monotonic_ms();
    auto files = std::make_unique<wal::PosixFileSystem>();
    auto store = open_state_store(config);
    if (!store) return failed(exit_code_of(store.error()), store.error());
    const std::uint64_t store_ms = monotonic_ms();
    std::random_device random;
    const std::uint64_t seed = (static_cast<std::uint64_t>(random()) << 32) | random();
    auto directory = replica::open_data_directory(*files, **store, data_directory_options(config, by_hand), seed);
    if (!directory) return failed(exit_code_of(directory.error()), directory.error());
    const std::uint64_t log_ms = monotonic_ms();
    replica::warm_up(*directory->log, *directory->state, [end = std::chrono::steady_clock::now() + kWarmUpTime] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    });
    spdlog::info("data directory opened stored_lsn={} log_base={} last_lsn={} store_ms={} log_ms={} warm_ms={}", (*store)->stored().value,
                 directory->log->base().lsn.value, directory->log->last().lsn.value, store_ms - began_ms, log_ms - store_ms,
                 monotonic_ms() - log_ms);

    const Addresses addresses = addresses_of(config, clients, peers, sentinel);
    std::unique_ptr<Server> server(new Server(std::move(config), by_hand,
                                              Opened{.lock = std::move(*lock),
                                                     .loop = std::move(loop),
                                                     .clients = std::move(clients),
                                                     .peers = std::move(peers),
                                                     .sentinel = std::move(sentinel),
                                                     .addresses = addresses,
                                                     .files = std::move(files),
                                                     .store = std::move(*store),
                                                     .directory = std::move(*directory),
                                                     .peer_password = std::move(*peer_password),
                                                     .seed = seed}));
    if (Status listening = server->listen_http(); !listening) return failed(kExitConfiguration, listening.error());
    if (Status taken = server->take_users(by_hand.users_from_configuration); !taken) return failed(kExitConfiguration, taken.error());
    return server;
}

Server::Server(config::Config config, const ByHand& by_hand, Opened opened)
    : config_(std::move(config)),
      started_ms_(monotonic_ms()),
      lock_(std::move(opened.lock)),
      loop_(std::move(opened.loop)),
      files_(std::move(opened.files)),
      store_(std::move(opened.store)),
      shared_turns_(network_threads(config_), *store_),
      idle_poller_(idle_poll_time(config_)),
      forwarding_(routing_, {.send = [this](core::ForwardWrites forward) { step(std::move(forward)); }, .now_ms = monotonic_ms}),
      writes_(routing_, forwarding_,
              {.propose = [this](core::Proposal proposal) { propose(std::move(proposal)); },
               .disk_is_low = [this] { return replica_.disk_is_low(); },
               .room = [this] { return replica_.room_for_writes(); },
               .entry_executed = [&seconds = registry_.histogram(metrics::Metric::kWriteSeconds)](
                                     std::chrono::nanoseconds took) { seconds.observe(took); }}),
      reads_(routing_, {.request_read = [this](std::uint64_t token) { step(core::ReadRequest{token}); },
                        .applied = [this] { return replica_.state().position(); },
                        .epoch_at = [this](Lsn lsn) { return replica_.node().epoch_at(lsn); },
                        .now_ms = monotonic_ms}),
      switchovers_([this](core::SwitchoverRequested request) { step(request); }),
      links_(*loop_, std::move(opened.peers),
             peer_links_options(config_, opened.directory.start.identity.id, std::move(opened.peer_password), opened.seed),
             [this](core::Event event) { step(std::move(event)); }),
      host_(*loop_, *opened.directory.log, links_, writes_, reads_, switchovers_, registry_,
            {.event = [this](core::Event event) { step(std::move(event)); },
             .stored = [this] { return store_->stored(); },
             .executed = [this](std::span<const commands::Applied> applied) { executed(applied); },
             .awaits_outcomes = [this] { return forwarding_.awaits_outcomes(); },
             .forwarded = [this](core::TakeForwarded& action) { forwarding_.arrived(std::move(action)); },
             .view_changed = [this] { on_view_changed(); },
             .store_is_corrupt = [this] { condemn_state_store(config_); },
             .stop = [this](int exit_code, const std::string& reason) { on_stop(exit_code, reason); }}),
      replica_(host_, *files_, *store_, std::move(opened.directory), replica_options(config_, opened.addresses, by_hand), opened.seed),
      connections_(loop_->io(), shared_turns_),
      cursors_(opened.seed >> 1),  // with room above it for the numbers to come
      port_(resp::client_port_commands()),
      sentinel_port_(sentinel::port_commands()),
      acl_({&port_.commands, &sentinel_port_.commands}),
      users_(acl_, routing_, replica_.state(), writes_,
             {.later = [this](std::function<void()> what) { loop_->post(std::move(what)); },
              .changed = [this](bool anew) { users_changed(anew); }}),
      sentinel_(routing_, config_.cluster.name,
                [this](std::string_view event, std::string_view message) { sentinel_port_.pubsub.publish(event, message); }),
      sentinel_connections_(loop_->io(), shared_turns_),
      administration_(administration()),
      services_(services_of(port_, connections_, nullptr)),
      sentinel_services_(services_of(sentinel_port_, sentinel_connections_, &sentinel_)),
      clients_(std::move(opened.clients), services_, config_.limits.connections),
      sentinel_clients_(std::move(opened.sentinel), sentinel_services_, config_.limits.connections),
      server_metrics_(registry_, {.routing = routing_,
                                  .counters = counters_,
                                  .connections = connections_,
                                  .shared_turns = shared_turns_,
                                  .writes = writes_,
                                  .links = links_,
                                  .applied_at_start = replica_.node().view().applied,
                                  .stored = [this] { return store_->stored(); },
                                  .unstored_bytes = [this] { return store_->unstored_bytes(); },
                                  .sessions = [this] { return replica_.state().sessions(); },
                                  .disk_free_bytes = [this] { return files_->bytes_free(config_.node.data_dir.string()).value_or(0); },
                                  .cache = [this] { return store_->cache(); },
                                  .idle_polled = [this] { return idle_poller_.polled(); }}),
      tick_timer_(loop_->io()),
      end_timer_(loop_->io()),
      client_port_(clients_.port()) {
    last_stored_at_ = wall_us() / 1'000'000;
    port_.keys.set_source([this](std::vector<commands::KeyEvent>* events) { replica_.watch(events); });
    apply_settings();
    metrics::collect_process_metrics(registry_);
    connections_.now_ms = sentinel_connections_.now_ms = last_tick_ms_ = monotonic_ms();
    routing_.refresh(replica_.node().view(), last_tick_ms_);
}

Status Server::take_users(bool from_configuration) {
    auto password = secret_of(config_.security.requirepass, config_.security.requirepass_file, "requirepass");
    if (!password) return fail(password.error());
    return users_.configure(std::move(*password), config_.security.acl_file.path, from_configuration);
}

void Server::users_changed(bool anew) {
    for (const ConnectionShared* shared : {&connections_, &sentinel_connections_}) {
        for (const auto& connection : shared->all()) connection->users_changed(anew);
    }
}

ClientServices Server::services_of(resp::Port& port, ConnectionShared& connections, const sentinel::Watch* sentinel) {
    return {.port = port,
            .acl = acl_,
            .users = users_,
            .writes = writes_,
            .forwarding = forwarding_,
            .reads = reads_,
            .switchovers = switchovers_,
            .routing = routing_,
            .state = replica_.state(),
            .settings = settings_,
            .counters = counters_,
            .connections = connections,
            .cursors = cursors_,
            .sentinel = sentinel,
            .epoch_at = [this](Lsn lsn) { return replica_.node().epoch_at(lsn); },
            .administration = administration_,
            .info = [this, of_sentinel = sentinel != nullptr](resp::Arguments sections) { return info(sections, of_sentinel); },
            .storage_failed =
                [this](const Error& error) {
                    if (error.code == ErrorCode::kCorrupt) condemn_state_store(config_);
                    on_stop(kExitStorageFault, "reading the store: " + error.message);
                }};
}

Server::~Server() {
    for (ConnectionShared* shared : {&connections_, &sentinel_connections_}) {
        for (const auto& connection : shared->all()) connection->drop();
    }
    http_.reset();
    host_.end_threads();
}

Status Server::listen_http() {
    const config::Endpoint& endpoint = config_.listen.http;
    if (endpoint.empty()) return {};
    auto routes = http::standard_routes(registry_, config::version(), [this] { return readiness(); });
    auto listening = http::HttpServer::listen(loop_->io(), endpoint.host, endpoint.port, std::move(routes));
    if (!listening) return fail(listening.error(), fmt::format("listen.http = \"{}\"", endpoint.to_string()));
    http_ = std::move(*listening);
    return {};
}

void Server::apply_settings() {
    settings_ = client_settings(config_);
    reads_.expect_bounded(settings_.max_lag_ms != 0);
    writes_.set_pending_bytes_max(config_.limits.pending_bytes);
    clients_.set_connections_max(config_.limits.connections);
    sentinel_clients_.set_connections_max(config_.limits.connections);
    store_->set_memory_max(hot_store_options(config_).memory_max);
    port_.take(config_.redis);
    connections_.limits.output_bytes_max = sentinel_connections_.limits.output_bytes_max = config_.limits.output_bytes;
}

// -- running ------------------------------------------------------------------------------------------------------------------------

int Server::run() {
    spdlog::info("starting version={} node={} cluster={} client={} peer={} http={} sentinel={} data_dir={} network_threads={}",
                 config::version(), config_.node.id.value, config_.cluster.name, config_.listen.client.to_string(),
                 config_.listen.peer.to_string(), config_.listen.http.to_string(), config_.listen.sentinel.to_string(),
                 config_.node.data_dir.string(), shared_turns_.threads());
    clients_.start();
    sentinel_clients_.start();
    links_.start();
    step(core::Tick{read_clock()});
    start_ticking();
    if (!exit_code_ || *exit_code_ == kExitClean) loop_->run([this] { end_of_turn(); });
    return exit_code_.value_or(kExitClean);
}

void Server::step(core::Event event) { replica_.step(std::move(event)); }

void Server::propose(core::Proposal proposal) {
    if (!replica_.stopped()) return step(std::move(proposal));
    // Held back to the last: whoever took over takes it.
    const ErrorCode code = routing_.view().master ? ErrorCode::kNotMaster : ErrorCode::kOverloaded;
    writes_.on(core::ProposalRefused{proposal.token, code, "this node is shutting down" + routing_.directions()});
}

void Server::executed(std::span<const commands::Applied> applied) {
    port_.keys.note_authors([this](Rank entry, std::size_t item) { return writes_.author(entry, item); });
    writes_.executed(applied);
    forwarding_.executed(applied);
    port_.keys.deliver();  // behind the answers, as in Redis
}

/// Everything that was ready has been handled: what it amounts to goes to log, peers and clients, in as few calls as there are of these.
void Server::end_of_turn() {
    if (std::exchange(tick_due_, false)) tick(monotonic_ms());
    forwarding_.begin_turn(writes_);
    writes_.end_of_turn(read_clock());
    if (!replica_.stopped()) forwarding_.end_turn();
    if (shutting_down_) advance_shutdown();
    reads_.end_of_turn();
    users_.look();
    port_.waiting.look(connections_.now_ms);
    port_.keys.deliver();
    if (exit_code_ && *exit_code_ != kExitClean) return;  // nothing more is said (S4)
    links_.flush();
    connections_.output.flush(shared_turns_);
    sentinel_connections_.output.flush(shared_turns_);
    if (is_a_lone_request_under_way()) idle_poller_.stay_awake();
    if (ending_ && connections_.open.empty() && sentinel_connections_.open.empty()) finish();
}

/// Where there are more, they keep the cores awake themselves. A slave is told of entries only.
bool Server::is_a_lone_request_under_way() const {
    constexpr std::size_t kFewRequests = 4, kFewBytes = limits::kKiB;
    const std::size_t requests = writes_.pending() + reads_.waiting(), bytes = host_.bytes_on_their_way();
    return requests > 0 ? requests <= kFewRequests : bytes > 0 && bytes <= kFewBytes;
}

void Server::start_ticking() {
    tick_timer_.expires_after(std::chrono::milliseconds(kTickMs));
    tick_timer_.async_wait([this](const asio::error_code& error) {
        if (error) return;
        tick_due_ = true;  // delivered behind all messages that are here already: silence is what is left
        start_ticking();
    });
}

/// Delivers the ticks that have passed, also those of a suspend (S16); of a long one as many as make any time-out run out.
void Server::tick(std::uint64_t now_ms) {
    const std::uint64_t passed = (now_ms - last_tick_ms_) / kTickMs;
    if (passed == 0) return;
    last_tick_ms_ += passed * kTickMs;
    const auto election_ticks = static_cast<std::uint64_t>(config_.failover.election_timeout.count()) / kTickMs;
    for (std::uint64_t i = 0; i < std::min(passed, 3 * election_ticks); ++i) step(core::Tick{read_clock()});
    connections_.now_ms = sentinel_connections_.now_ms = now_ms;
    routing_.refresh(replica_.node().view(), now_ms);
    if (sentinel_port() != 0) sentinel_.refresh();
    writes_.tick(now_ms);
    forwarding_.tick();
    reads_.tick(now_ms);
    users_.tick();
    tick_clients(now_ms);
}

void Server::tick_clients(std::uint64_t now_ms) {
    store_->shrink();
    if (parting_until_ms_ != 0) part_clients(now_ms);
    if (port_.pause.until_ms != 0 && port_.pause.until_ms <= now_ms) {
        port_.pause = {};
        for (const auto& connection : connections_.all()) connection->wake();
    }
    if (!storing_.is_zero() && store_->stored() >= storing_) {
        storing_ = {};
        last_stored_at_ = wall_us() / 1'000'000;
    }
    if (++ticks_ % kConnectionTickEvery != 0) return;
    const resp::Traffic now{counters_.all_requests(), connections_.bytes_in, connections_.bytes_out};
    traffic_per_second_ = {now.commands - traffic_.commands, now.bytes_in - traffic_.bytes_in, now.bytes_out - traffic_.bytes_out};
    traffic_ = now;
    for (const ConnectionShared* shared : {&connections_, &sentinel_connections_}) {
        for (const auto& connection : shared->all()) connection->tick();
    }
}

void Server::on_view_changed() {
    routing_.refresh(replica_.node().view(), monotonic_ms());
    if (sentinel_port() != 0) sentinel_.refresh();
    const core::Role role = routing_.view().role;
    const core::Role before = std::exchange(last_role_, role);
    const bool was_pausing = std::exchange(was_pausing_, routing_.is_pausing());
    const bool steps_down = before == core::Role::kMaster && role != core::Role::kMaster;
    if (role != before && role == core::Role::kMaster) ++counters_.promotions;
    if (role != before && role == core::Role::kCandidate) ++counters_.elections;
    if (steps_down) ++counters_.step_downs;
    const bool has_handed_over = was_pausing && role != core::Role::kMaster;
    if ((steps_down || has_handed_over) && !was_pausing_) on_stepped_down();
}

/// Redis clients look for the new master when their connection ends; what is pending is answered first. After a switchover that is behind
/// an answer, so that none has a request under way then, and what they write until then goes to the new master from here.
void Server::on_stepped_down() {
    const bool forwards = forwarding_.begin();
    stepped_down_ms_ = monotonic_ms();
    parting_until_ms_ = forwards ? stepped_down_ms_ + Forwarding::kOpenMs : 0;
    for_resp_clients([forwards](ClientConnection& connection) { forwards ? connection.part() : connection.finish(); });
}

/// Those who come in the first moments part like the others; what is left at the end goes.
void Server::part_clients(std::uint64_t now_ms) {
    const bool is_over = parting_until_ms_ <= now_ms, is_open_to_all = now_ms < stepped_down_ms_ + Forwarding::kOpenToAllMs;
    if (is_over) parting_until_ms_ = 0;
    for_resp_clients([=](ClientConnection& connection) {
        if (!is_open_to_all && !connection.is_parting()) return;
        is_over ? connection.finish() : connection.part();
    });
}

/// In another turn: not from within the core's own step.
void Server::for_resp_clients(std::function<void(ClientConnection&)> what) {
    loop_->post([this, what = std::move(what)] {
        for (const auto& connection : connections_.all()) {
            if (connection->speaks_resp()) what(*connection);
        }
    });
}

// -- ending -------------------------------------------------------------------------------------------------------------------------

void Server::stop() { loop_->stop(); }

void Server::shut_down() {
    loop_->post([this] {
        if (std::exchange(shutting_down_, true)) return;
        spdlog::info("shutting down");
        end_timer_.expires_after(kShutdownTime);
        end_timer_.async_wait([this](const asio::error_code& error) {
            if (!error) on_stop(kExitClean, "not everything that was pending could be answered in time");
        });
    });
}

/// A master hands over, and stays until what it held meanwhile has been executed by the new one, and its clients have gone there (S17).
void Server::advance_shutdown() {
    if (stop_requested_ || routing_.is_pausing()) return;
    if (routing_.is_master() && routing_.view().open && hand_overs_ < kHandOversMax) {
        ++hand_overs_;
        switchovers_.ask(std::nullopt, [](const Result<MemberId>&) {});
        if (routing_.is_pausing()) return;
    }
    if (!routing_.is_master()) clients_.close();
    const bool may_wait = parting_until_ms_ != 0 && monotonic_ms() - stepped_down_ms_ < settings_.election_timeout_ms;
    const bool all_part = monotonic_ms() - stepped_down_ms_ < Forwarding::kOpenToAllMs;
    const bool has_clients = may_wait && std::ranges::any_of(connections_.open, [&](const auto& each) {
                                 return each.second->is_parting() || (all_part && each.second->speaks_resp());
                             });
    if (forwarding_.pending() > 0 || has_clients) return;  // for as long as a shutdown may take
    stop_requested_ = true;
    step(core::ShutdownRequested{});
}

void Server::on_stop(int exit_code, const std::string& reason) {
    if (exit_code_ && (*exit_code_ != kExitClean || exit_code == kExitClean)) return;
    exit_code_ = exit_code;
    stop_reason_ = reason;
    if (exit_code != kExitClean) {
        spdlog::error("stopping exit_code={} reason=\"{}\"", exit_code, reason);
        return loop_->stop();
    }
    spdlog::info("stopping reason=\"{}\"", reason);
    loop_->post([this] { end_cleanly(); });
}

void Server::end_cleanly() {
    if (std::exchange(ending_, true)) return;
    forwarding_.give_up();
    clients_.close();
    sentinel_clients_.close();
    for (const ConnectionShared* shared : {&connections_, &sentinel_connections_}) {
        for (const auto& connection : shared->all()) connection->finish();
    }
    end_timer_.expires_after(kFarewellTime);
    end_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) finish();
    });
}

void Server::finish() {
    if (Status closed = host_.close_log(); !closed) {
        exit_code_ = kExitStorageFault;
        stop_reason_ = closed.error().message;
        spdlog::error("closing the log failed reason=\"{}\"", stop_reason_);
    }
    loop_->stop();
}

// -- what it tells --------------------------------------------------------------------------------------------------------------------

void Server::reload(config::Config config) {
    loop_->post([this, config = std::move(config)]() mutable { take_over(std::move(config)); });
}

void Server::take_over(config::Config config) {
    const config::Changes changes = config::reloadable_changes(config_, config);
    for (const std::string& change : changes.applied) spdlog::info("configuration reloaded change=\"{}\"", change);
    for (const std::string& change : changes.needs_restart)
        spdlog::warn("configuration changed, taken over only at a restart change=\"{}\"", change);
    if (changes.applied.empty() && changes.needs_restart.empty()) spdlog::info("configuration reloaded: nothing changed");
    auto password = secret_of(changes.merged.security.requirepass, changes.merged.security.requirepass_file, "requirepass");
    if (!password) return spdlog::error("configuration not reloaded reason=\"{}\"", password.error().message);
    config_ = changes.merged;
    apply_settings();
    users_.take_password(std::move(*password));
    set_up_logging(config_.log);
}

Status Server::store_state() {
    storing_ = replica_.state().position().applied.lsn;
    return store_->flush();
}

resp::Administration Server::administration() {
    return {.config = [this]() -> const config::Config& { return config_; },
            .change_config = [this](config::Config config) { take_over(std::move(config)); },
            .rewrite_config = [this] { return config::rewrite_file(config_source_, config_); },
            .store_state = [this] { return store_state(); },
            .stored = [this] { return store_->stored(); },
            .last_stored_at = [this] { return last_stored_at_; },
            .reset_statistics =
                [this] {
                    baseline_ = {replica_.state().statistics(),
                                 {counters_.all_requests(), connections_.bytes_in, connections_.bytes_out},
                                 counters_.connections_accepted,
                                 counters_.connections_refused};
                },
            .shut_down = [this] { shut_down(); }};
}

http::Readiness Server::readiness() const {
    if (shutting_down_) return {false, "shutting down"};
    if (settings_.read_level == ReadLevel::kLinearizable) {
        const bool can_ask = (routing_.is_master() && routing_.view().open) || routing_.view().master.has_value();
        return can_ask ? http::Readiness{true, "serves linearizable reads"}
                       : http::Readiness{false, "knows no master to confirm reads with"};
    }
    const std::uint64_t now_ms = monotonic_ms();
    const bool fresh = settings_.max_lag_ms == 0 || routing_.lag_ms_at(now_ms) <= settings_.max_lag_ms;
    if (routing_.serves_reads() && fresh) return {true, "serves reads"};
    return {false, routing_.refuse_read(now_ms).message};
}

std::string Server::info(resp::Arguments sections, bool of_sentinel) {
    routing_.refresh(replica_.node().view(), monotonic_ms());  // what was answered before it, it tells
    const ConnectionShared& connections = of_sentinel ? sentinel_connections_ : connections_;
    const commands::KeyStatistics keys = replica_.state().statistics();
    const Baseline before = of_sentinel ? Baseline{} : baseline_;
    resp::InfoFacts facts{
        .routing = routing_,
        .port = of_sentinel ? sentinel_port_ : port_,
        .cluster_name = config_.cluster.name,
        .tcp_port = of_sentinel ? sentinel_port() : client_port_,
        .uptime_seconds = (monotonic_ms() - started_ms_) / 1000,
        .connected_clients = connections.open.size(),
        .blocked_clients = reads_.waiting() + port_.waiting.size() + resp::clients_paused(connections),
        .clients_max = config_.limits.connections,
        .total = {counters_.all_requests() - before.traffic.commands, connections.bytes_in - before.traffic.bytes_in,
                  connections.bytes_out - before.traffic.bytes_out},
        .per_second = traffic_per_second_,
        .cache = store_->cache(),
        .memory_max = config_.memory.max,
        .stored = store_->stored(),
        .unstored_bytes = store_->unstored_bytes(),
        .held = writes_.held(),
        .last_stored_at = last_stored_at_,
        .keys = replica_.state().key_counts(),
        .log_time_ms = replica_.state().position().timestamp,
        .statistics = {keys.hits - before.keys.hits, keys.misses - before.keys.misses, keys.expired - before.keys.expired},
        .connections_accepted = counters_.connections_accepted - before.accepted,
        .connections_refused = counters_.connections_refused - before.refused,
        .network_threads = shared_turns_.threads(),
        .shared = shared_turns_.counts(),
        .shared_reads = counters_.shared_reads};
    if (of_sentinel) facts.sentinel = sentinel::info_section(sentinel_);
    return resp::info_text(sections, facts);
}

}  // namespace tanist::server
