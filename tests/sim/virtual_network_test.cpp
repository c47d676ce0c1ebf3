// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_network.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace tanist::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

constexpr NodeId kNode1{1}, kNode2{2};

/// Writes down what a shell would tell the core.
class Recorder final : public Listener {
public:
    void on_connected(NodeId peer) override { events.push_back("connected " + std::to_string(peer.value)); }
    void on_lost(NodeId peer, core::Loss loss) override {
        constexpr const char* kNames[] = {"reset", "refused", "timeout"};
        events.push_back("lost " + std::to_string(peer.value) + " " + kNames[static_cast<int>(loss)]);
    }
    void on_message(core::Message message) override { epochs.push_back(message.header.epoch.value); }
    std::vector<std::string> take() { return std::exchange(events, {}); }

    std::vector<std::string> events;
    std::vector<std::uint64_t> epochs;
};

class NetworkTest : public testing::Test {
protected:
    explicit NetworkTest(NetworkPlan network = {}) : network_(world_, plan_with(network)) {
        network_.attach(kNode1, one_);
        network_.attach(kNode2, two_);
        network_.set_state(kNode1, HostState::kListening);
        network_.set_state(kNode2, HostState::kListening);
        network_.connect_all(kNode1);
        run(100ms);
        EXPECT_THAT(one_.take(), ElementsAre("connected 2"));
        EXPECT_THAT(two_.take(), ElementsAre("connected 1"));
    }
    static const Plan& plan_with(NetworkPlan network) {
        static Plan plan;
        plan = {.seed = 7, .nodes = {{.node = kNode1}, {.node = kNode2}}, .network = network};
        return plan;
    }
    void run(Duration duration) { world_.run_until(world_.now() + duration); }
    void send(std::uint64_t number) { network_.send(kNode1, kNode2, {.header = {.epoch = {number}}, .body = core::Heartbeat{}}); }

    World world_{false};
    VirtualNetwork network_;
    Recorder one_, two_;
};

TEST_F(NetworkTest, StreamsKeepOrder) {
    std::vector<std::uint64_t> sent;
    for (std::uint64_t i = 0; i < 100; ++i) send(i), sent.push_back(i);
    run(1s);
    EXPECT_EQ(two_.epochs, sent);
}

TEST_F(NetworkTest, KilledProcessResetsItsConnectionsAndThenRefuses) {  // the evidence of S13
    network_.set_state(kNode2, HostState::kNoProcess);
    run(50ms);
    EXPECT_THAT(one_.take(), ElementsAre("lost 2 reset", "lost 2 refused"));
    network_.set_state(kNode2, HostState::kListening);
    run(2s);
    EXPECT_THAT(one_.take(), ElementsAre("connected 2"));  // redialled with a back-off
}

TEST_F(NetworkTest, BrokenConnectionIsDialledAgainAtOnce) {
    network_.reset(kNode1, kNode2);
    run(50ms);
    EXPECT_THAT(one_.take(), IsSupersetOf({"lost 2 reset", "connected 2"}));
    EXPECT_TRUE(network_.connected(kNode1, kNode2) && network_.connected(kNode2, kNode1));
}

TEST_F(NetworkTest, FirewallThatRefusesLooksLikeADeadProcess) {
    network_.refuse(kNode1, kNode2, true);
    run(50ms);
    EXPECT_THAT(one_.take(), ElementsAre("lost 2 reset", "lost 2 refused"));
}

TEST_F(NetworkTest, HostWithoutPowerIsSilent) {
    network_.set_state(kNode2, HostState::kDark);
    send(1);
    run(1s);
    EXPECT_THAT(one_.take(), IsEmpty());
    run(5s);
    EXPECT_THAT(one_.take(), ElementsAre("lost 2 timeout"));
}

TEST_F(NetworkTest, StreamHoldsWhatIsSentIntoAPartition) {
    network_.block(kNode1, kNode2, true);
    send(1);
    run(1s);
    EXPECT_THAT(two_.epochs, IsEmpty());
    network_.block(kNode1, kNode2, false);
    run(1s);
    EXPECT_THAT(two_.epochs, ElementsAre(1));
}

TEST_F(NetworkTest, NothingOfAnOldConnectionArrivesOnANewOne) {
    network_.block(kNode1, kNode2, true);
    send(1);
    network_.set_state(kNode2, HostState::kNoProcess);
    network_.set_state(kNode2, HostState::kListening);
    network_.block(kNode1, kNode2, false);
    run(2s);
    EXPECT_THAT(two_.epochs, IsEmpty());
    EXPECT_TRUE(network_.connected(kNode1, kNode2));
}

class NarrowLinkTest : public NetworkTest {
protected:
    NarrowLinkTest() : NetworkTest({.delay_min = 50us, .delay_max = 50us, .entry_bytes_per_ms = 10}) {}

    void send_entry(std::uint64_t number, std::size_t payload_bytes) {
        core::Append append;
        append.entries.push_back(Entry::make({1}, {}, 0, EntryKind::kCommands, std::string(payload_bytes, 'x')));
        network_.send(kNode1, kNode2, {.header = {.epoch = {number}}, .body = std::move(append)});
    }
};

TEST_F(NarrowLinkTest, UrgentMessagesOvertakeEntriesAndNothingElse) {
    send(1);
    send_entry(2, 1000);
    send_entry(3, 1000);
    send(4);
    send(5);
    run(50ms);
    EXPECT_THAT(two_.epochs, ElementsAre(1, 4, 5)) << "an entry takes more than 100 ms";
    run(1s);
    EXPECT_THAT(two_.epochs, ElementsAre(1, 4, 5, 2, 3));
}

class DatagramTest : public NetworkTest {
protected:
    DatagramTest() : NetworkTest({.streams = false, .loss = 2000, .duplicate = 2000, .reorder = 2000}) {}
};

TEST_F(DatagramTest, AreLostDuplicatedAndReordered) {
    for (std::uint64_t i = 0; i < 1000; ++i) send(i);
    run(10s);
    EXPECT_FALSE(std::ranges::is_sorted(two_.epochs));
    std::ranges::sort(two_.epochs);
    const auto distinct = std::ranges::unique(two_.epochs);
    EXPECT_FALSE(distinct.empty());
    EXPECT_LT(two_.epochs.size() - distinct.size(), 1000U);
}

}  // namespace
}  // namespace tanist::sim
