// SPDX-License-Identifier: Apache-2.0
#include "server/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/commands/log.h"
#include "tests/server/views.h"

namespace tanist::server {
namespace {

using ::testing::ElementsAre;

/// The users of a master that has just opened; what they propose is committed by commit().
class UsersTest : public ::testing::Test {
protected:
    UsersTest() { routing_.refresh(open_master(), 0); }
    void configure(bool file_replaces_log) { ASSERT_TRUE(users_.configure("secret", {}, file_replaces_log)); }
    void add(std::string name) {
        users_.change([name](resp::Acl& users) { return users.set_user(name, std::vector<std::string_view>{"on", ">pw", "~*"}); },
                      [this](const std::optional<std::string>& error) { answers_.push_back(error.value_or("OK")); });
    }
    /// Makes entries of all that was proposed, until nothing new is.
    void commit() {
        writes_.end_of_turn({});
        while (!proposals_.empty() || !later_.empty()) {
            for (const core::Proposal& proposal : std::exchange(proposals_, {})) {
                const Entry entry = machine_.log.entry(EntryKind::kCommands, proposal.payload);
                writes_.on(core::ProposalAccepted{proposal.token, entry.id().rank()});
                std::vector<commands::Applied> applied;
                ASSERT_TRUE(machine_.state->apply(std::span(&entry, 1), &applied));
                writes_.executed(applied);
            }
            users_.look();
            for (const auto& task : std::exchange(later_, {})) task();
            writes_.end_of_turn({});
        }
    }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& [name, _] : machine_.state->users().lines) all.push_back(name);
        return all;
    }

    commands::Machine machine_;
    Routing routing_;
    std::vector<core::Proposal> proposals_;
    std::vector<std::function<void()>> later_;
    std::vector<std::string> answers_;
    Forwarding forwarding_{routing_, {.send = [](core::ForwardWrites) {}, .now_ms = [] { return std::uint64_t{0}; }}};
    WritePath writes_{routing_,
                      forwarding_,
                      {.propose = [this](core::Proposal p) { proposals_.push_back(std::move(p)); },
                       .disk_is_low = [] { return false; },
                       .room = [] { return std::size_t{SIZE_MAX}; },
                       .entry_executed = [](std::chrono::nanoseconds) {}}};
    resp::Acl acl_{{&resp::client_port_commands()}};
    Users users_{acl_,
                 routing_,
                 *machine_.state,
                 writes_,
                 {.later = [this](auto task) { later_.push_back(std::move(task)); }, .changed = [](bool) {}}};
};

TEST_F(UsersTest, AUserThatAClientWasFasterToAddStaysWhenTheConfiguredOnesAreTakenOver) {
    configure(false);
    add("bob");
    users_.tick();
    commit();
    EXPECT_THAT(answers_, ElementsAre("OK"));
    EXPECT_THAT(names(), ElementsAre("bob", "default"));
    EXPECT_NE(acl_.authenticate("default", "secret"), nullptr) << "the configured password holds, too";
}

TEST_F(UsersTest, OfTwoChangesAtOnceNoneIsLost) {
    configure(false);
    users_.tick();
    add("bob");
    add("eve");
    commit();
    EXPECT_THAT(answers_, ElementsAre("OK", "OK"));
    EXPECT_THAT(names(), ElementsAre("bob", "default", "eve"));
}

TEST_F(UsersTest, ByHandTheConfiguredOnesTakeThePlaceOfAll) {
    configure(true);
    add("bob");
    users_.tick();
    commit();
    EXPECT_THAT(names(), ElementsAre("default"));
}

}  // namespace
}  // namespace tanist::server
