// SPDX-License-Identifier: Apache-2.0
// What whoever watches the state is told of applied commands, in the words of Redis's keyspace notifications, and what is counted.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <sstream>

#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KeyEvents : public ::testing::Test {
protected:
    KeyEvents() { machine.state->watch(&events_); }

    static Redis redis(std::string_view line) {
        Redis command;
        std::istringstream words{std::string(line)};
        for (std::string word; words >> word;) command.words.push_back(word);
        return command;
    }
    /// What these commands of one request did, as "class:name key".
    std::vector<std::string> events_of(std::vector<std::string_view> lines) {
        std::vector<Command> commands;
        for (const auto line : lines) commands.emplace_back(redis(line));
        static_cast<void>(machine.execute(std::move(commands)));
        return take();
    }
    std::vector<std::string> take() {
        constexpr std::string_view kLetters = "g$xnf";
        std::vector<std::string> lines;
        for (const KeyEvent& event : events_)
            lines.push_back(fmt::format("{}:{} {}", kLetters[static_cast<std::size_t>(event.of)], event.name, event.key));
        events_.clear();
        return lines;
    }

    Machine machine;
    std::vector<KeyEvent> events_;
};

TEST_F(KeyEvents, AreNamedByTheCommandAndByWhatItDid) {
    EXPECT_THAT(events_of({"SET a 1"}), ElementsAre("n:new a", "$:set a"));
    EXPECT_THAT(events_of({"SET a 1 EX 100"}), ElementsAre("$:set a", "g:expire a"));
    EXPECT_THAT(events_of({"SET a 2 KEEPTTL"}), ElementsAre("$:set a"));
    EXPECT_THAT(events_of({"INCRBY a 2", "APPEND a 1", "SETRANGE a 0 x", "SETBIT a 1 0"}),
                ElementsAre("$:incrby a", "$:append a", "$:setrange a", "$:setbit a"));
    EXPECT_THAT(events_of({"EXPIRE a 100", "PERSIST a", "GETEX a EX 100", "GETEX a PERSIST", "GETEX a"}),
                ElementsAre("g:expire a", "g:persist a", "g:expire a", "g:persist a"));
    EXPECT_THAT(events_of({"RENAME a b", "COPY b c", "DEL b none", "EXPIRE c -1"}),
                ElementsAre("n:new b", "g:rename_from a", "g:rename_to b", "n:new c", "g:copy_to c", "g:del b", "g:del c"));
    EXPECT_THAT(events_of({"MSET o 1 p 2", "RENAME o p"}),
                ElementsAre("n:new o", "$:set o", "n:new p", "$:set p", "n:new p", "g:rename_from o", "g:rename_to p"));
    EXPECT_THAT(events_of({"GET a", "EXISTS a", "SETNX x 1", "SETNX x 2"}), ElementsAre("n:new x", "$:set x"));
    EXPECT_THAT(events_of({"FLUSHALL"}), ElementsAre("f:flushed "));
}

TEST_F(KeyEvents, OfARequestThatIsTakenBackThereAreNone) {
    static_cast<void>(events_of({"SET text x"}));
    std::vector<Command> commands{redis("SET a 1"), Increment{"text", 1}};  // which ends the request
    EXPECT_NE(machine.execute(std::move(commands)).code, OutcomeCode::kDone);
    EXPECT_THAT(take(), IsEmpty());
}

TEST_F(KeyEvents, KeysThatFallDueAreToldAndCounted) {
    static_cast<void>(events_of({"SET a 1 PX 50", "SET b 1 PX 50"}));
    EXPECT_EQ(machine.state->statistics().expired, 0u);
    machine.log.advance(1000);
    machine.tick();
    EXPECT_THAT(take(), ElementsAre("x:expired a", "x:expired b"));
    EXPECT_EQ(machine.state->statistics().expired, 2u);
}

TEST_F(KeyEvents, TellWhichRequestOfWhichEntryItWas) {
    static_cast<void>(machine.run_all({Request{.commands = {Put{"a", "1"}}}, Request{.commands = {Put{"b", "2"}}}}));
    ASSERT_EQ(events_.size(), 4u);
    EXPECT_EQ(events_[1].item, 0u);
    EXPECT_EQ(events_[3].item, 1u);
    EXPECT_EQ(events_[3].entry, machine.log.last().rank());
}

TEST_F(KeyEvents, WhatFallsDueIsNobodysRequest) {
    static_cast<void>(events_of({"SET due 1 PX 50"}));
    machine.log.advance(1000);
    static_cast<void>(machine.execute({Put{"other", "1"}}));
    ASSERT_EQ(events_.size(), 3u);
    EXPECT_EQ(events_[0].name, "expired");
    EXPECT_GT(events_[0].item, 0u);
    EXPECT_EQ(events_[2].item, 0u);
}

TEST_F(KeyEvents, WithoutAWatcherNothingIsNoted) {
    machine.state->watch(nullptr);
    EXPECT_THAT(events_of({"SET a 1"}), IsEmpty());
}

TEST_F(KeyEvents, HitsAndMissesAreThoseOfCommandsThatTellWhatIsThere) {
    static_cast<void>(events_of({"SET a 1", "GET a", "GET none", "MGET a none", "GETDEL a", "DEL a", "GETSET b 1"}));
    EXPECT_EQ(machine.state->statistics().hits, 3u);
    EXPECT_EQ(machine.state->statistics().misses, 3u);
    const std::array<std::string_view, 3> words{"EXISTS", "b", "none"};
    static_cast<void>(machine.state->read(words, 0, 0));
    EXPECT_EQ(machine.state->statistics().hits, 4u);
    const std::array<std::string_view, 2> keys{"b", "none"};
    static_cast<void>(machine.state->visit_many(keys, store::kNoBound, [](auto) {}));
    EXPECT_EQ(machine.state->statistics().hits, 5u);
    EXPECT_EQ(machine.state->statistics().misses, 5u);
}

TEST_F(KeyEvents, WhatIsReadInTheLogCountsWhereItIsAnswered) {
    const SessionId session = machine.open_session();
    for (const bool in_session : {false, true}) {
        Request request{.commands = {Get{"none"}}};
        if (in_session) request.session = session, request.sequence = 1, request.lowest_unanswered = 1;
        const Entry entry = machine.log.commands({request});
        EXPECT_TRUE(machine.state->apply(std::span(&entry, 1), nullptr));  // as on a slave
    }
    EXPECT_EQ(machine.state->statistics().misses, 0u);
    static_cast<void>(machine.run(Request{.session = session, .sequence = 2, .lowest_unanswered = 2, .commands = {Get{"none"}}}));
    EXPECT_EQ(machine.state->statistics().misses, 1u);
}

TEST_F(KeyEvents, ReadsOfTheServerCountWhenAClientIsTold) {
    static_cast<void>(events_of({"SET a 1"}));
    const std::array<std::string_view, 3> keys{"a", "none", "a"};
    const auto values = machine.state->get_many(keys).value();
    EXPECT_EQ(machine.state->statistics().hits, 0u);
    machine.state->count_told(values);
    EXPECT_EQ(machine.state->statistics().hits, 2u);
    EXPECT_EQ(machine.state->statistics().misses, 1u);
}

TEST_F(KeyEvents, AnInstalledCopyMayHaveChangedEveryKey) {  // S25
    static_cast<void>(events_of({"SET a 1"}));
    EXPECT_TRUE(machine.state->reload());
    EXPECT_THAT(take(), ElementsAre("f:flushed "));
}

}  // namespace
}  // namespace tanist::commands
