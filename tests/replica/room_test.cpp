// SPDX-License-Identifier: Apache-2.0
// A store that has no room holds up applying, and nothing else; and what waits in the log is looked up together at the next start.
#include <gmock/gmock.h>

#include <deque>
#include <string>
#include <vector>

#include "commands/request.h"
#include "replica/replica.h"
#include "replica/warm_up.h"
#include "store/memory_store.h"
#include "wal/memory_file_system.h"

namespace tanist::replica {
namespace {

/// The memory store, full whenever the test says so.
class FullStore final : public store::Store {
public:
    Result<std::size_t> read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const override {
        return store_->read(keys, bytes_max, visit);
    }
    void warm(std::span<const std::string_view> keys, std::chrono::milliseconds) const override {
        warmed.insert(warmed.end(), keys.begin(), keys.end());
        warmed_at_once = std::max(warmed_at_once, keys.size());
    }
    Cache cache() const override { return {.bytes_max = memory_max}; }
    Result<store::ScanRows> scan(const store::ScanRequest& request) const override { return store_->scan(request); }
    Status apply(std::span<const store::Change> changes, const store::Position& position) override {
        return store_->apply(changes, position);
    }
    bool has_room() const override { return has_room_now; }
    store::Position position() const override { return store_->position(); }
    Lsn stored() const override { return store_->stored(); }
    Status flush() override {
        ++flushes;
        return store_->flush();
    }
    std::uint64_t unstored_bytes() const override { return unstored_now; }
    std::uint64_t dirty_bytes() const override { return dirty_now; }
    Result<std::unique_ptr<store::Checkpoint>> checkpoint() override { return store_->checkpoint(); }
    Result<std::unique_ptr<store::CheckpointReceiver>> receive() override { return store_->receive(); }
    Result<std::uint64_t> digest() override { return store_->digest(); }

    bool has_room_now = true;
    std::uint64_t unstored_now = 0, dirty_now = 0;
    std::size_t flushes = 0;
    std::uint64_t memory_max = 64 << 20;
    mutable std::vector<std::string> warmed;
    mutable std::size_t warmed_at_once = 0;

private:
    std::unique_ptr<store::Store> store_ = store::open_memory_store(std::make_shared<store::DurableImage>());
};

/// Writes the log at once, and remembers what else there is to tell.
class QuickHost final : public Host {
public:
    void append_to_wal(core::AppendToWal append) override {
        ASSERT_TRUE(log->write(append.entries) && log->sync());
        events.push_back(core::WalDurable{append.generation, append.entries.back().lsn()});
    }
    Status with_log(const std::function<Status(wal::Log&)>& use) override { return use(*log); }
    void read_log(core::ReadLog) override { FAIL() << "all of it is in memory"; }
    void recycle_log(Lsn) override {}
    void send(NodeId, core::Message) override {}
    void disconnect(NodeId, const std::string&) override {}
    void on(const core::ProposalAccepted&) override { ++accepted; }
    void on(const core::ProposalRefused& action) override { FAIL() << action.reason; }
    void on(const core::ProposalDurable&) override {}
    void on(const core::ProposalOnAll&) override {}
    void on(const core::ProposalUnknown& action) override { FAIL() << action.reason; }
    void on(const core::ReadReady&) override {}
    void on(const core::ReadRefused&) override {}
    void on(const core::SwitchoverEnded&) override {}
    void on(core::TakeForwarded&) override {}
    [[nodiscard]] bool awaits_outcomes() const override { return false; }
    void executed(std::span<const commands::Applied> applied) override { executions += applied.size(); }
    void on(const core::ViewChanged&) override {}
    void on(const core::Notice&) override {}
    void store_is_corrupt() override {}
    void stop(int, const std::string& reason) override { FAIL() << reason; }

    wal::Log* log = nullptr;
    std::deque<core::Event> events;
    std::size_t accepted = 0, executions = 0;
};

std::chrono::milliseconds an_hour() { return std::chrono::hours(1); }

class RoomTest : public testing::Test {
protected:
    explicit RoomTest(std::uint64_t unstored = 0) {
        store_.unstored_now = unstored;
        auto directory = open_data_directory(files_, store_, {.path = "data", .node = NodeId{1}, .configured_voters = 1, .log = {}}, 7);
        EXPECT_TRUE(directory);
        host_.log = directory->log.get();
        ReplicaOptions options;
        options.node = {.cluster_name = "c", .role = core::ConfiguredRole::kMaster, .addresses = {}, .configured = {{NodeId{1}, "a:1"}}};
        options.flush_bytes = 800;
        options.unstored_bytes_max = 1000;
        replica_ = std::make_unique<Replica>(host_, files_, store_, std::move(*directory), options, 7);
        for (int i = 0; i < 1000 && !replica_->node().open(); ++i) tick();
        EXPECT_TRUE(replica_->node().open());
    }
    void tick() {
        now_ms_ += 10;
        step(core::Tick{{now_ms_, now_ms_}});
    }
    void step(core::Event event) {
        host_.events.push_back(std::move(event));
        while (!host_.events.empty()) {
            core::Event next = std::move(host_.events.front());
            host_.events.pop_front();
            replica_->step(std::move(next));
        }
    }
    void propose(const std::string& key) {
        std::string payload;
        commands::append_to(payload, commands::Request{.commands = {commands::Put{key, "value"}}});
        step(core::Proposal{.token = ++token_, .payload = payload, .now = {now_ms_, now_ms_}});
    }

    /// Entries that are committed and not applied; returns the rows of their keys, of a thousand bytes each.
    std::vector<std::string> propose_what_waits() {
        propose("applied");
        store_.has_room_now = false;
        std::vector<std::string> rows;
        for (int i = 0; i < 600; ++i) {
            const std::string key = std::to_string(i) + std::string(1000, 'k');
            propose(key);
            rows.push_back("d" + key);
        }
        return rows;
    }

    wal::MemoryFileSystem files_;
    FullStore store_;
    QuickHost host_;
    std::unique_ptr<Replica> replica_;
    std::uint64_t now_ms_ = 0, token_ = 0;
};

TEST_F(RoomTest, AFlushWaitsAsLongAsItWouldWriteLittle) {
    store_.unstored_now = 801;
    store_.dirty_now = 1;
    tick();
    EXPECT_EQ(store_.flushes, 1U);  // but not for ever
    store_.unstored_now = 800;
    tick();
    EXPECT_EQ(store_.flushes, 1U);
    store_.dirty_now = 799;
    tick();
    EXPECT_EQ(store_.flushes, 1U);
    store_.dirty_now = 800;
    tick();
    EXPECT_EQ(store_.flushes, 2U);
    store_.unstored_now = 400;
    tick();
    EXPECT_EQ(store_.flushes, 2U);
}

TEST_F(RoomTest, EntriesWaitForTheStoreWhileTheNodeGoesOn) {
    propose("a");
    const std::size_t executions = host_.executions;
    const Lsn before = replica_->node().view().applied;
    store_.has_room_now = false;
    propose("b"), propose("c");
    for (int i = 0; i < 500; ++i) tick();
    EXPECT_EQ(host_.accepted, 3U) << "the log and its replication go on";
    EXPECT_EQ(host_.executions, executions);
    EXPECT_EQ(replica_->node().view().applied, before);
    EXPECT_EQ(replica_->node().role(), core::Role::kMaster);
    EXPECT_EQ(replica_->state().get("a").value()->value, "value") << "reads are served meanwhile";
    store_.has_room_now = true;
    tick();
    EXPECT_EQ(host_.executions, executions + 2);
    EXPECT_TRUE(replica_->state().get("c").value());
    EXPECT_EQ(replica_->node().view().applied.value, before.value + 2);
}

TEST_F(RoomTest, RoomForWritesShrinksToNothingAtTheBound) {
    EXPECT_EQ(replica_->room_for_writes(), SIZE_MAX);
    store_.unstored_now = 500;
    EXPECT_EQ(replica_->room_for_writes(), SIZE_MAX) << "half of it";
    store_.unstored_now = 600;
    EXPECT_EQ(replica_->room_for_writes(), 16U) << "a tick's share of what is left, given out over a quarter of a second";
    store_.unstored_now = 5000;
    EXPECT_EQ(replica_->room_for_writes(), 0U);
}

/// A slave whose store lagged, and that was promoted; the bound is 1000.
struct LaggingRoomTest : RoomTest {
    LaggingRoomTest() : RoomTest(10'000) {}
};

TEST_F(LaggingRoomTest, AboveTheBoundHalfOfWhatTheStoreTakesInMayBeWritten) {
    std::size_t given = 0;
    const auto give = [&](int ticks) {
        given = 0;
        for (int i = 0; i < ticks; ++i) given += replica_->room_for_writes(), tick();
    };
    give(1);
    EXPECT_GE(given, 5U) << "at once, before the store has taken in anything: about a tick's share of a quarter of the bound";
    give(300);
    EXPECT_GT(given, 120U);
    EXPECT_LE(given, 250U) << "no more than that quarter while the store takes in nothing";
    store_.unstored_now = 9000;
    tick();
    give(300);
    EXPECT_GT(given, 400U);
    EXPECT_LE(given, 550U) << "half of a thousand, and what was left";
    store_.unstored_now = 400;
    tick();
    store_.unstored_now = 1000;
    tick();
    EXPECT_EQ(replica_->room_for_writes(), 0U) << "once below it, the bound holds";
}

TEST_F(RoomTest, TheKeysThatAStartWillApplyAreLookedUpTogether) {
    const auto rows = propose_what_waits();
    const auto state = commands::StateMachine::open(store_).value();  // as a start finds it: behind the log
    warm_up(*host_.log, *state, an_hour);
    EXPECT_EQ(store_.warmed, rows);
    EXPECT_EQ(store_.warmed_at_once, rows.size());
    EXPECT_EQ(state->position(), store_.position()) << "nothing is applied by it: what the log holds need not be committed (S7)";
}

TEST_F(RoomTest, TheKeysThatAStartLooksUpTakeAPartOfTheStoresMemory) {
    const auto rows = propose_what_waits();
    const auto state = commands::StateMachine::open(store_).value();
    store_.memory_max = 1 << 20;
    warm_up(*host_.log, *state, an_hour);
    EXPECT_EQ(store_.warmed, rows) << "in several steps";
    EXPECT_LT(store_.warmed_at_once * 1000, store_.memory_max / 8);
    EXPECT_GT(store_.warmed_at_once * 1000, store_.memory_max / 16);
}

TEST_F(RoomTest, AStartThatHasNoTimeReadsNoLogForTheStore) {
    propose_what_waits();
    const auto state = commands::StateMachine::open(store_).value();
    warm_up(*host_.log, *state, [] { return std::chrono::milliseconds(0); });
    EXPECT_TRUE(store_.warmed.empty());
}

}  // namespace
}  // namespace tanist::replica
