// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_node.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "sim/describe.h"

namespace tanist::sim {
namespace {

constexpr Duration kSupervisorWaits = 500ms;  ///< before it starts a process again that ended by itself
constexpr std::uint64_t kWallStartMs = 1'700'000'000'000;
/// Of chance and of each family of scenarios: below, slaves' questions for linearizable reads take a round of the master, as once they did.
constexpr std::uint64_t kFirstSeedOfAsking = 2000, kSeedsOfAFamily = 500'000;

std::size_t voters(const Plan& plan) {
    return static_cast<std::size_t>(
        std::ranges::count_if(plan.nodes, [](const NodePlan& n) { return n.role != core::ConfiguredRole::kSpare; }));
}

}  // namespace

SimNode::SimNode(World& world, VirtualNetwork& network, ClusterChecker& checker, const Plan& plan, const NodePlan& self)
    : world_(world),
      network_(network),
      checker_(checker),
      plan_(plan),
      self_(self),
      random_(random_for(plan.seed, 100 + self.node.value)),
      disk_(std::make_unique<wal::MemoryFileSystem>()),
      image_(std::make_shared<store::DurableImage>()) {
    network.attach(self.node, *this);
}

SimNode::~SimNode() = default;

// -- time --------------------------------------------------------------------------------------------------------------------------

Duration SimNode::local(Duration duration) const { return duration + duration * self_.drift_ppm / 1'000'000; }

Duration SimNode::monotonic() const { return local(world_.now()); }

core::Clock SimNode::clock() const {
    const auto ms = static_cast<std::uint64_t>(monotonic() / 1ms);
    return {.monotonic_ms = 1'000'000 * self_.node.value + ms, .wall_ms = kWallStartMs + ms + static_cast<std::uint64_t>(wall_offset_ms_)};
}

void SimNode::make_up_for_ticks() {
    const Duration tick = std::chrono::milliseconds(plan_.tick_ms);
    const auto due = static_cast<std::uint64_t>((monotonic() - local(process_->started)) / tick);
    while (process_->ticks < due && !process_->exit) {
        ++process_->ticks;
        process_->ticked = world_.now();
        step(core::Tick{clock()});
        if (!process_->exit) process_->desk->tick();
    }
}

void SimNode::tick() {
    make_up_for_ticks();
    const Duration tick = std::chrono::milliseconds(plan_.tick_ms);
    later(tick - tick * self_.drift_ppm / 1'000'000, [this] { this->tick(); });
}

// -- the process's work ------------------------------------------------------------------------------------------------------------

void SimNode::later(Duration delay, Work work) {
    world_.after(delay, [this, number = process_->number, work = std::move(work)]() mutable {
        if (process_ && process_->number == number) run(std::move(work));
    });
}

void SimNode::post(core::Event event) {
    if (!process_) return;
    later(0us, [this, event = std::move(event)]() mutable { step(std::move(event)); });
}

void SimNode::run(Work work) {
    if (!paused_ && !is_slow()) return work_through(work);
    process_->inbox.push_back(std::move(work));
    work_on();
}

void SimNode::work_on() {
    if (paused_ || process_->working || process_->inbox.empty()) return;
    process_->working = true;
    world_.after(work_takes_, [this, number = process_->number] {
        if (!process_ || process_->number != number) return;
        process_->working = false;
        if (paused_ || process_->inbox.empty()) return;
        const Work work = std::move(process_->inbox.front());
        process_->inbox.pop_front();
        work_through(work);
        if (process_) work_on();
    });
}

void SimNode::work_through(const Work& work) {
    if (!process_->exit) work();
    if (process_->exit || met_) {
        end_as_asked();
        return;
    }
    process_->store->look_again();
    checker_.on_step(self_.node, process_->replica->node(), process_->store->stored());
    process_->has_reigned |= process_->replica->node().open();
    process_->desk->after_step();
    if (process_->exit) end_as_asked();
}

void SimNode::ask(Question question, Reply reply) {
    if (!process_) return;
    Reply heard = watched(question, std::move(reply));
    run([this, question = std::move(question), reply = std::move(heard)] { process_->desk->ask(question, reply); });
}

Reply SimNode::watched(const Question& question, Reply reply) {
    const auto* read = std::get_if<Read>(&question);
    if (read == nullptr || read->level != ReadLevel::kStale || read->max_lag_ms != 0) return reply;
    return [this, reply = std::move(reply)](Answer answer) {
        const bool must_answer = process_->has_reigned && process_->replica->node().view().health != core::Health::kQuarantined;
        if (must_answer && answer.verdict == Verdict::kRefused)
            world_.fail("node {} refuses a stale read, though it has been an open master", self_.node.value);
        reply(std::move(answer));
    };
}

std::size_t SimNode::pending() const { return process_ ? process_->desk->pending() + process_->wal->queued() + process_->inbox.size() : 0; }

bool SimNode::outcast() const {
    if (outcast_ || !damaged_ || !process_) return outcast_;
    const core::View view = process_->replica->node().view();
    return view.membership.find(view.self) == nullptr;
}

// -- start and end -----------------------------------------------------------------------------------------------------------------

core::NodeOptions SimNode::options() const {
    core::NodeOptions options{.cluster_name = "simulated", .role = self_.role};
    const auto address = [](NodeId node) { return fmt::format("node{}:1", node.value); };
    options.addresses = {.peer = address(self_.node), .client = address(self_.node)};
    for (const NodePlan& node : plan_.nodes) options.configured.push_back({node.node, address(node.node)});
    options.tick_ms = plan_.tick_ms;
    options.heartbeat_ticks = plan_.heartbeat_ticks;
    options.election_timeout_ticks = plan_.election_timeout_ticks;
    options.wal_stall_ticks = plan_.wal_stall_ticks;
    options.promotion_pull_ticks = plan_.promotion_pull_ticks;
    options.append_bytes_max = plan_.append_bytes_max;
    options.inflight_bytes_max = plan_.inflight_bytes_max;
    options.tail_bytes_max = plan_.tail_bytes_max;
    options.asking_answers = plan_.seed % kSeedsOfAFamily >= kFirstSeedOfAsking;
    options.rounds_ask_few = options.answers_wait = plan_.seed % kSeedsOfAFamily >= kFirstSeedAsShipped;
    return options;
}

replica::DataDirectoryOptions SimNode::directory_options() const {
    replica::DataDirectoryOptions options{.path = kDataDirectory, .node = self_.node, .configured_voters = voters(plan_)};
    options.log = {.segment_bytes = plan_.disk.segment_bytes,
                   .retention_bytes = plan_.disk.retention_bytes,
                   .spare_segments_max = 1,
                   .cut_corruption = cuts_by_hand_};
    return options;
}

void SimNode::open_store() {
    const auto give_up = [this] {
        world_.note("node {} gives up its state store", self_.node.value);
        image_ = std::make_shared<store::DurableImage>();
        rotten_row_ = {};
        condemned_ = false;
    };
    const auto open = [this] {
        process_->store = std::make_unique<WatchedStore>(
            store::open_memory_store(image_), rotten_row_,
            [this](const store::Position& position, std::uint64_t digest) { checker_.on_state(self_.node, position, digest); });
    };
    if (condemned_) give_up();
    open();
    if (const auto state = commands::StateMachine::open(*process_->store); !state && state.error().code == ErrorCode::kCorrupt) {
        give_up();
        open();
    }
    process_->store->rot_checkpoints(rots_checkpoints_);
}

void SimNode::start() {
    if (process_ || given_up_) return;
    restart_after_ = 0us;
    paused_ = false;
    disk_->set_hook([this](wal::DiskOperation operation, const std::string&) { return before_disk_operation(operation); });
    disk_->set_liar([this](const std::string& path, std::uint64_t offset, std::uint64_t bytes) { return misplace(path, offset, bytes); });
    process_ = std::make_unique<Process>(Process{.number = ++processes_, .started = world_.now(), .ticked = world_.now()});
    world_.note("node {} starts", self_.node.value);
    open_store();
    auto directory = replica::open_data_directory(*disk_, *process_->store, directory_options(), random_.next());
    if (!directory) {
        given_up_ = damaged_ && !met_ && !may_lack_room_;
        if (!met_ && !damaged_ && !may_lack_room_) world_.fail("node {} cannot start: {}", self_.node.value, directory.error().message);
        stop(given_up_ ? 3 : 4, directory.error().message);
        end_as_asked();
        return;
    }
    if (!directory->start.vote_lost.empty()) {
        if (!damaged_) world_.fail("node {} has lost its vote in a crash: {}", self_.node.value, directory->start.vote_lost);
        checker_.on_vote_lost(self_.node);
    }
    world_.coverage().on_started(directory->start.vote_lost.empty() ? core::VoteFound::kKept : core::VoteFound::kLost,
                                 directory->log->found().tail, voters(plan_) == 1);
    if (cuts_by_hand_) checker_.on_cut_by_hand(self_.node, rotten_entry_);
    checker_.on_opened(self_.node, directory->start.identity.id, *directory->log, rescued());
    process_->appended = process_->synced = directory->log->last().lsn;
    const replica::ReplicaOptions replica_options{
        .node = options(), .flush_bytes = plan_.disk.flush_bytes, .disk_reserve_bytes = plan_.disk_reserve_bytes(), .disk_check_ticks = 10};
    process_->replica =
        std::make_unique<replica::Replica>(*this, *disk_, *process_->store, std::move(*directory), replica_options, random_.next());
    process_->wal = std::make_unique<VirtualWal>(*this, process_->replica->log(), plan_.disk, random_.next());
    process_->desk = std::make_unique<ClientDesk>(*this, self_.node, plan_.forwards);
    network_.set_state(self_.node, HostState::kListening);
    later(0us, [this] { tick(); });
    network_.connect_all(self_.node);
}

void SimNode::storage_failed(const Error& error) {
    if (error.code == ErrorCode::kCorrupt) store_is_corrupt();
    stop(4, "reading the store: " + error.message);
}

void SimNode::stop(int exit_code, const std::string& reason) {
    if (process_->exit) return;
    process_->exit = exit_code;
    process_->reason = reason;
}

void SimNode::end_as_asked() {
    if (met_ == DiskFault::kPowerCut) return end_by_power_cut();
    const int code = process_->exit.value_or(4);
    world_.note("node {} ends with code {}: {}", self_.node.value, code, process_->reason);
    const bool expected = code == 0 || (code == 4 && (met_ || may_lack_room_ || deceived_ || condemned_)) || given_up_;
    if (expected && code == 4 && restart_after_ == 0us) restart_after_ = kSupervisorWaits;
    if (!expected) world_.fail("node {} ended with code {}: {}", self_.node.value, code, process_->reason);
    if (code == 0) {
        const Status closed = process_->wal->close();
        if (met_ == DiskFault::kPowerCut) return end_by_power_cut();
        if (!closed && !met_ && !may_lack_room_) world_.fail("node {} cannot close its log: {}", self_.node.value, closed.error().message);
    }
    disk_->kill();
    end(HostState::kNoProcess);
}

void SimNode::end_by_power_cut() {
    world_.note("node {} loses power in the middle of a file operation", self_.node.value);
    disk_->crash(random_);
    end(HostState::kDark);
}

void SimNode::end(HostState left_behind) {
    planned_.reset();
    met_.reset();
    paused_ = false;
    process_.reset();
    checker_.on_ended(self_.node);
    network_.set_state(self_.node, left_behind);
    const Duration again = restart_after_;
    if (again > 0us) {
        world_.after(again, [this, number = processes_] {
            if (processes_ == number) start();
        });
    }
}

// -- replica::Host -----------------------------------------------------------------------------------------------------------------

void SimNode::append_to_wal(core::AppendToWal append) {
    checker_.on_appended(self_.node, append.entries, process_->ticked);
    use_room(append.entries);
    if (process_->synced >= process_->appended) process_->log_reported = world_.now();
    process_->appended = append.entries.back().lsn();
    process_->wal->append(std::move(append));
}

Status SimNode::with_log(const std::function<Status(wal::Log&)>& use) {
    const Lsn before = process_->replica->log().last().lsn;
    if (process_->store->position().applied.lsn > before) world_.triggers().on(Moment::kInstalled, self_.node);
    Status status = process_->wal->with_log(use);
    if (!status) {
        checker_.on_log_change_failed(self_.node);
        if (room_) may_lack_room_ = true;  // a repair is written as a whole
        return status;
    }
    const wal::Log& log = process_->replica->log();
    world_.print("node {}: its log goes from lsn={} to {}/{} now", self_.node.value, log.base().lsn.value, log.last().epoch.value,
                 log.last().lsn.value);
    checker_.on_log_changed(self_.node, log, rescued());
    process_->appended = process_->synced = process_->replica->log().last().lsn;
    if (process_->synced < before) world_.triggers().on(Moment::kLogCut, self_.node);
    return status;
}

void SimNode::on_synced(Lsn through) {
    world_.print("node {}: durable through lsn={}", self_.node.value, through.value);
    checker_.on_synced(self_.node, through);
    process_->synced = through;
    process_->log_reported = world_.now();
}

Duration SimNode::log_silence() const {
    return process_ && process_->synced < process_->appended ? world_.now() - process_->log_reported : Duration(0);
}

std::vector<EntryId> SimNode::rescued() const {
    const std::string directory = std::string(kDataDirectory) + "/rescued";
    std::vector<EntryId> ids;
    const auto names = disk_->list(directory);
    if (!names) return ids;
    for (const std::string& name : *names) {
        if (!name.ends_with(".entries")) continue;
        const auto content = wal::read_file(*disk_, directory + "/" + name, std::size_t{1} << 30);
        if (!content) continue;
        const auto bytes = std::make_shared<const std::string>(*content);
        for (std::size_t at = 0; at < bytes->size();) {
            const auto entry = Entry::decode(bytes, as_bytes(*bytes).subspan(at));
            if (!entry) break;
            ids.push_back(entry->id());
            at += entry->size();
        }
    }
    return ids;
}

void SimNode::send(NodeId to, core::Message message) {
    if (met_) {  // a power cut silences it; an error must (S4)
        if (met_ == DiskFault::kError) world_.fail("node {} sends after a storage fault", self_.node.value);
        return;
    }
    if (world_.trace().prints()) world_.print("  {} -> {} {}", self_.node.value, to.value, describe(message));
    checker_.on_sent(self_.node, to, message);
    world_.coverage().on_sent(message.body);
    network_.send(self_.node, to, std::move(message));
}

void SimNode::disconnect(NodeId node, const std::string& reason) {
    world_.note("node {} disconnects node {}: {}", self_.node.value, node.value, reason);
    network_.disconnect(self_.node, node);
}

void SimNode::on(const core::ProposalDurable& action) {
    checker_.on_durable_at_master(self_.node, process_->replica->node().epoch());
    process_->desk->on(action);
}

void SimNode::on(const core::ProposalOnAll& action) {
    if (const auto rank = process_->desk->rank_of(action.token)) checker_.on_durable_on_all(self_.node, *rank);
    process_->desk->on(action);
}

void SimNode::on(const core::SwitchoverEnded& action) {
    if (action.master) {
        ++switchovers_done_;
        world_.note("node {}: a switchover to node {} is through", self_.node.value, action.master->node.value);
    } else {
        world_.note("node {}: no switchover: {}", self_.node.value, action.master.error().message);
    }
}

void SimNode::on(const core::Notice& action) {
    world_.note("node {}: {}", self_.node.value, action.text);
    world_.coverage().on_notice(action.text);
}

}  // namespace tanist::sim
