// SPDX-License-Identifier: Apache-2.0
#include "base/ring.h"

#include <gmock/gmock.h>

#include <deque>
#include <memory>

#include "base/random.h"

namespace tanist {
namespace {

TEST(Ring, AgreesWithADeque) {
    Random random(1);
    Ring<int> ring;
    std::deque<int> model;
    for (int step = 0; step < 100'000; ++step) {
        const bool grows = step / 1000 % 2 == 0;  // beyond what is kept, and back to nothing
        if (random.below(10) < (grows ? 8U : 3U)) {
            ASSERT_EQ(ring.push_back(step), step);
            model.push_back(step);
        } else if (!model.empty()) {
            ring.pop_front();
            model.pop_front();
        }
        ASSERT_EQ(ring.size(), model.size());
        ASSERT_EQ(ring.empty(), model.empty());
        if (model.empty()) continue;
        ASSERT_EQ(ring.front(), model.front());
        const std::size_t place = random.below(model.size());
        ASSERT_EQ(ring[place], model[place]);
    }
}

TEST(Ring, LetsGoOfWhatLeaves) {
    Ring<std::shared_ptr<int>> ring;
    const auto item = std::make_shared<int>(1);
    ring.push_back(item);
    EXPECT_EQ(item.use_count(), 2);
    ring.pop_front();
    EXPECT_EQ(item.use_count(), 1);
}

}  // namespace
}  // namespace tanist
