// SPDX-License-Identifier: Apache-2.0
// The model against the product's state machine: two ways to say the same, so that neither is believed alone.
#include "sim/model.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "commands/state_machine.h"
#include "store/memory_store.h"

namespace tanist::sim {
namespace {

std::string draw_key(Random& random) { return std::string(1, static_cast<char>('a' + random.below(4))); }

commands::Command draw_command(Random& random) {
    switch (random.below(4)) {
        case 0: return commands::Put{draw_key(random), std::to_string(random.below(100)) + (random.chance(1, 3) ? "x" : "")};
        case 1: return commands::Delete{draw_key(random)};
        case 2: return commands::Increment{draw_key(random), static_cast<std::int64_t>(random.below(7)) - 3};
        default: return commands::Get{draw_key(random)};
    }
}

commands::Condition draw_condition(Random& random, Lsn lsn) {
    switch (random.below(4)) {
        case 0: return commands::KeyExists{draw_key(random)};
        case 1: return commands::KeyAbsent{draw_key(random)};
        case 2: return commands::ValueEquals{draw_key(random), std::to_string(random.below(100))};
        default: return commands::VersionEquals{draw_key(random), {random.below(lsn.value + 1)}};
    }
}

commands::Logged draw_item(Random& random, Lsn lsn) {
    const SessionId session{random.chance(1, 3) ? 0 : random.below(lsn.value + 1)};
    switch (random.below(12)) {
        case 0: return commands::RegisterSession{random.chance(1, 2) ? 0 : random.between(1, 500)};
        case 1: return commands::KeepSession{session, random.below(5)};
        case 2: return commands::CloseSession{session};
        case 3: {
            commands::ChangeUsers change{.expected = {random.chance(1, 2) ? 0 : random.below(lsn.value + 1)},
                                         .replaces_all = random.chance(1, 3)};
            for (std::uint64_t i = random.below(3); i > 0; --i) {
                const bool is_gone = random.chance(1, 3);
                change.users.push_back({draw_key(random), is_gone ? std::nullopt : std::optional(std::to_string(random.below(100)))});
            }
            return change;
        }
        default: break;
    }
    commands::Request request{.session = session, .sequence = random.between(1, 10), .lowest_unanswered = random.below(6)};
    for (std::uint64_t i = random.below(3); i > 0; --i) request.conditions.push_back(draw_condition(random, lsn));
    for (std::uint64_t i = random.between(1, 4); i > 0; --i) request.commands.push_back(draw_command(random));
    return request;
}

TEST(Model, AnswersAsTheStateMachineDoes) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Random random(seed);
        const auto store = store::open_memory_store(std::make_shared<store::DurableImage>());
        const auto machine = commands::StateMachine::open(*store);
        ASSERT_TRUE(machine);
        Model model;
        EntryId last;
        std::uint64_t timestamp = 1000;
        for (int i = 0; i < 200; ++i) {
            std::string payload;
            for (std::uint64_t items = random.between(1, 4); items > 0; --items) commands::append_to(payload, draw_item(random, last.lsn));
            timestamp += random.below(50);
            const Entry entry = Entry::make({1}, last, timestamp, EntryKind::kCommands, payload);
            last = entry.id();
            std::vector<commands::Applied> applied;
            ASSERT_TRUE((*machine)->apply({&entry, 1}, &applied));
            model.apply(entry);
            const auto expected = model.outcomes(last.lsn);
            ASSERT_EQ(applied.at(0).outcomes.size(), expected.size());
            for (std::size_t k = 0; k < expected.size(); ++k) {
                ASSERT_EQ(applied[0].outcomes[k].code, expected[k].code) << "seed " << seed << " lsn " << last.lsn.value << " item " << k;
                ASSERT_TRUE(applied[0].outcomes[k] == expected[k]) << "seed " << seed << " lsn " << last.lsn.value << " item " << k;
            }
        }
        for (const auto& [key, cell] : model.range("", "", last.lsn)) {
            const auto stored = (*machine)->get(key);
            ASSERT_TRUE(stored && *stored);
            EXPECT_EQ((*stored)->value, *cell->value);
            EXPECT_EQ((*stored)->version, cell->version);
        }
    }
}

TEST(Model, RemembersWhatAKeyWasAtEveryLsn) {
    Model model;
    EntryId last;
    const auto log = [&](commands::Command command) {
        std::string payload;
        commands::append_to(payload, commands::Request{.commands = {std::move(command)}});
        const Entry entry = Entry::make({1}, last, 1, EntryKind::kCommands, payload);
        last = entry.id();
        model.apply(entry);
    };
    log(commands::Put{"a", "1"});
    log(commands::Put{"b", "2"});
    log(commands::Delete{"a"});
    EXPECT_EQ(model.at("a", {0}), nullptr);
    EXPECT_EQ(*model.at("a", {2})->value, "1");
    EXPECT_EQ(model.at("a", {3}), nullptr);
    EXPECT_EQ(model.range("", "", {2}).size(), 2U);
}

}  // namespace
}  // namespace tanist::sim
