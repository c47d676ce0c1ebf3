// SPDX-License-Identifier: Apache-2.0
#include "commands/key_table.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"

namespace tanist::commands {
namespace {

using Pair = std::pair<std::string_view, int>;

std::vector<Pair> content(KeyTable<int>& table) {
    std::vector<Pair> all;
    table.for_each([&](const auto& one) { all.emplace_back(one.key, one.value); });
    return all;
}

TEST(KeyTable, AgreesWithAListInTheOrderInWhichKeysCame) {
    std::vector<std::string> names;
    for (int i = 0; i < 300; ++i) names.push_back("key" + std::to_string(i));
    Random random(1);
    KeyTable<int> table;
    std::vector<Pair> model;
    const auto of = [&](std::string_view name) { return std::ranges::find(model, name, &Pair::first); };
    for (int step = 0; step < 20'000; ++step) {
        const std::string_view name = names[random.below(names.size())];
        const auto known = of(name);
        switch (random.below(100)) {
            case 0:
                table.clear();
                model.clear();
                break;
            case 1:
                table.erase_if([](const auto& one) { return one.value % 3 == 0; });
                std::erase_if(model, [](const Pair& one) { return one.second % 3 == 0; });
                break;
            case 2:
                table.erase_if([&](const auto& one) { return one.key == name; });
                if (known != model.end()) model.erase(known);
                break;
            case 3: {
                const auto* found = table.find(name);
                ASSERT_EQ(found != nullptr, known != model.end());
                if (found != nullptr) {
                    ASSERT_EQ(found->value, known->second);
                }
                break;
            }
            default: {
                const auto [item, is_new] = table.try_emplace(name);
                ASSERT_EQ(is_new, known == model.end());
                ASSERT_EQ(item->value, is_new ? 0 : known->second);
                item->value = step;
                is_new ? static_cast<void>(model.emplace_back(name, step)) : static_cast<void>(known->second = step);
            }
        }
        ASSERT_EQ(table.size(), model.size());
        if (step % 50 == 0) {
            ASSERT_EQ(content(table), model);
        }
    }
}

TEST(KeyTable, ItemsStayWhereTheyAreWhileOthersCome) {
    std::vector<std::string> names;
    for (int i = 0; i < 100'000; ++i) names.push_back(std::to_string(i));
    KeyTable<int> table;
    for (int round = 0; round < 2; ++round) {
        auto* first = table.try_emplace("first").first;
        for (const auto& name : names) table.try_emplace(name);
        EXPECT_EQ(table.find("first"), first);
        EXPECT_EQ(table.size(), names.size() + 1);
        table.clear();
        EXPECT_EQ(table.find("first"), nullptr);
    }
}

}  // namespace
}  // namespace tanist::commands
