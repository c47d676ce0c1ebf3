// SPDX-License-Identifier: Apache-2.0
// What a link makes of the ends of connections: the evidence that the core goes by (S13).
#include "server/peer_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/cluster.h"

namespace tanist::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PeerLinkTest : public ::testing::Test {
protected:
    PeerLinkTest() {
        link_ = std::make_shared<PeerLink>(
            io_, core::ConfiguredNode{{2}, fmt::format("127.0.0.1:{}", port_.port())}, std::chrono::seconds(1),
            PeerLink::Listener{.event = [this](const core::Event& event) { note(event); }, .refused = [](NodeId, const std::string&) {}},
            7);
    }
    ~PeerLinkTest() override {
        link_->close();
        io_.run();
    }

    void note(const core::Event& event) {
        if (const auto* lost = std::get_if<core::PeerLost>(&event)) lost_.push_back(lost->loss);
    }

    testing::PortReservation port_;  // nobody listens on it
    asio::io_context io_;
    std::shared_ptr<PeerLink> link_;
    std::vector<core::Loss> lost_;
};

TEST_F(PeerLinkTest, AnOrdinaryDialThatIsRefusedIsNoEvidence) {
    link_->start();
    for (int i = 0; i < 3; ++i) io_.run_one_for(std::chrono::seconds(10));
    EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(PeerLinkTest, AKnockThatIsRefusedIsEvidenceAndIsNotWaitedFor) {
    link_->start();
    for (int i = 0; i < 3; ++i) io_.run_one_for(std::chrono::seconds(10));
    link_->knock();
    while (lost_.empty() && io_.run_one_for(std::chrono::seconds(10)) > 0) continue;
    EXPECT_THAT(lost_, ElementsAre(core::Loss::kRefused));
}

/// The port of a dying process: its kernel has taken the connection, and then resets it.
TEST_F(PeerLinkTest, AKnockThatIsResetBeforeTheGreetingIsEvidence) {
    asio::ip::tcp::acceptor dying(io_, {asio::ip::address_v4::loopback(), 0});
    link_ = std::make_shared<PeerLink>(
        io_, core::ConfiguredNode{{2}, fmt::format("127.0.0.1:{}", dying.local_endpoint().port())}, std::chrono::seconds(1),
        PeerLink::Listener{.event = [this](const core::Event& event) { note(event); }, .refused = [](NodeId, const std::string&) {}}, 7);
    link_->knock();
    dying.close();  // before the loop has told the link that it is connected
    while (lost_.empty() && io_.run_one_for(std::chrono::seconds(10)) > 0) continue;
    EXPECT_THAT(lost_, ElementsAre(core::Loss::kRefused));
}

}  // namespace
}  // namespace tanist::server
