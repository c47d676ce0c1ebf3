// SPDX-License-Identifier: Apache-2.0
// What a link makes of the ends of connections: the evidence that the core goes by (S13).
#include "server/peer_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/peer_receiver.h"
#include "tests/server/cluster.h"

namespace tanist::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const PeerCredentials> credentials(std::uint64_t node, std::string password) {
    return std::make_shared<PeerCredentials>(NodeId{node}, std::move(password));
}

class PeerLinkTest : public ::testing::Test {
protected:
    PeerLinkTest() {
        link_ = std::make_shared<PeerLink>(
            io_, core::ConfiguredNode{{2}, fmt::format("127.0.0.1:{}", port_.port())}, credentials(1, ""), std::chrono::seconds(1),
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
        io_, core::ConfiguredNode{{2}, fmt::format("127.0.0.1:{}", dying.local_endpoint().port())}, credentials(1, ""),
        std::chrono::seconds(1),
        PeerLink::Listener{.event = [this](const core::Event& event) { note(event); }, .refused = [](NodeId, const std::string&) {}}, 7);
    link_->knock();
    dying.close();  // before the loop has told the link that it is connected
    while (lost_.empty() && io_.run_one_for(std::chrono::seconds(10)) > 0) continue;
    EXPECT_THAT(lost_, ElementsAre(core::Loss::kRefused));
}

// -- who may connect ------------------------------------------------------------------------------------------------------------------

/// Node 1 dials node 2, each with a password of its own choice.
class Introductions : public ::testing::Test {
protected:
    struct End {
        bool connected = false;         ///< at the dialler
        std::vector<std::string> said;  ///< why it was refused
    };
    /// Until the dialler is connected, or it is said why not.
    void introduce(const std::string& dialler, const std::string& receiver) {
        io_.restart();
        asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
        std::shared_ptr<PeerReceiver> at_receiver;
        acceptor.async_accept([&](const asio::error_code& error, asio::ip::tcp::socket socket) {
            ASSERT_FALSE(error);
            at_receiver = std::make_shared<PeerReceiver>(
                std::move(socket), core::Header{.sender = {{2}, {7}}}, credentials(2, receiver),
                PeerReceiver::Listener{.identified = [](NodeId, PeerReceiver&) { return Status{}; },
                                       .message = [this](const core::Message& message) { messages_.push_back(message); },
                                       .gone = [](PeerReceiver&) {},
                                       .reset = [](NodeId) {},
                                       .refused = [this](const std::string&, const std::string& why) { receiver_.said.push_back(why); }});
            at_receiver->start();
        });
        const auto link = std::make_shared<PeerLink>(
            io_, core::ConfiguredNode{{2}, fmt::format("127.0.0.1:{}", acceptor.local_endpoint().port())}, credentials(1, dialler),
            std::chrono::seconds(1),
            PeerLink::Listener{
                .event = [this](const core::Event& event) { dialler_.connected |= std::holds_alternative<core::PeerConnected>(event); },
                .refused = [this](NodeId, const std::string& why) { dialler_.said.push_back(why); }},
            7);
        link->start();
        while (!dialler_.connected && dialler_.said.empty() && io_.run_one_for(std::chrono::seconds(10)) > 0) continue;
        if (dialler_.connected) {
            link->send({{.sender = {{1}, {8}}}, core::Heartbeat{}});
            link->flush();
            while (messages_.empty() && io_.run_one_for(std::chrono::seconds(10)) > 0) continue;
        }
        link->close();
        if (at_receiver) at_receiver->close();
        acceptor.close();
        io_.run();
    }

    asio::io_context io_;
    End dialler_, receiver_;
    std::vector<core::Message> messages_;
};

TEST_F(Introductions, WhoHasTheSamePasswordIsConnected) {
    introduce("secret", "secret");
    EXPECT_TRUE(dialler_.connected);
    EXPECT_EQ(messages_.size(), 1u);
    EXPECT_THAT(receiver_.said, IsEmpty());
}

TEST_F(Introductions, WithoutAPasswordOnBothSidesNoneIsNeeded) {
    introduce("", "");
    EXPECT_TRUE(dialler_.connected);
    EXPECT_EQ(messages_.size(), 1u);
}

TEST_F(Introductions, AnotherPasswordIsRefusedAndBothSidesSayWhom) {
    introduce("secret", "other");
    EXPECT_FALSE(dialler_.connected);
    EXPECT_THAT(receiver_.said, ElementsAre("node 1 has another security.peer_password: all nodes need the same"));
    EXPECT_EQ(dialler_.said, receiver_.said);
}

TEST_F(Introductions, OnePasswordIsNotEnough) {
    introduce("secret", "");
    EXPECT_FALSE(dialler_.connected);
    EXPECT_THAT(receiver_.said, ElementsAre("node 1 has a security.peer_password and node 2 has none: all nodes need the same"));
    EXPECT_EQ(dialler_.said, receiver_.said);
    receiver_ = dialler_ = {};
    introduce("", "secret");
    EXPECT_FALSE(dialler_.connected);
    EXPECT_THAT(receiver_.said, ElementsAre("node 2 has a security.peer_password and node 1 has none: all nodes need the same"));
}

TEST(PeerProof, IsOfOneSideAndOneConnection) {
    const Introduction one{true, {1}, std::string(32, 'a')}, two{true, {2}, std::string(32, 'b')}, later{true, {2}, std::string(32, 'c')};
    const std::string proof = peer_proof("secret", PeerSide::kDialler, one, two);
    EXPECT_EQ(proof.size(), kPeerProofBytes);
    EXPECT_NE(proof, peer_proof("secret", PeerSide::kReceiver, one, two));
    EXPECT_NE(proof, peer_proof("secret", PeerSide::kDialler, one, later));
    EXPECT_NE(proof, peer_proof("other", PeerSide::kDialler, one, two));
}

/// A message before any proof, by somebody who dials by hand.
TEST(PeerPort, TakesNoMessageWithoutAProof) {
    testing::Cluster cluster(1, [](config::Config& config) { config.security.peer_password.text = "secret"; });
    ASSERT_EQ(cluster.await_master(), 1u);
    testing::TestSocket socket(cluster.peer_port(1));
    std::string frame;
    protocol::encode({{.sender = {{2}, {7}}}, core::Heartbeat{}}).append_to(frame);
    socket.send(protocol::peer_preamble() + Introduction{true, {2}, std::string(32, 'n')}.encode() + frame + std::string(32, 'x'));
    EXPECT_THAT(socket.receive_all(), ::testing::HasSubstr("node 2 has another security.peer_password"));
}

}  // namespace
}  // namespace tanist::server
