// SPDX-License-Identifier: Apache-2.0
#include "sim/watched_store.h"

#include <gtest/gtest.h>

#include "store/memory_store.h"

namespace tanist::sim {
namespace {

class WatchedStoreTest : public testing::Test {
protected:
    void put(std::string_view key, std::string_view value, std::uint64_t lsn) {
        const store::Change change{.key = key, .value = value};
        ASSERT_TRUE(store_.apply({&change, 1}, {.applied = {{1}, {lsn}, 0}}));
    }
    [[nodiscard]] ErrorCode code_of_scan() const {
        const auto found = store_.scan({.begin = "a", .end = "z"});
        return found ? ErrorCode{} : found.error().code;
    }

    RottenRow rotten_;
    std::uint64_t digest_ = 0;
    WatchedStore store_{store::open_memory_store(std::make_shared<store::DurableImage>()), rotten_,
                        [this](const store::Position&, std::uint64_t digest) { digest_ = digest; }};
};

TEST_F(WatchedStoreTest, ARottenRowIsCorruptForWhoeverReadsIt) {  // S26
    put("da", "1", 1);
    put("db", "2", 2);
    rotten_.key = "da";
    EXPECT_TRUE(store_.get("db").has_value());
    EXPECT_FALSE(rotten_.was_met);
    ASSERT_FALSE(store_.get("da").has_value());
    EXPECT_EQ(store_.get("da").error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(rotten_.was_met);
    EXPECT_EQ(code_of_scan(), ErrorCode::kCorrupt);
}

TEST_F(WatchedStoreTest, IsGoodAgainOnceACheckpointHasReplacedIt) {  // S25
    put("da", "1", 1);
    rotten_.key = "da";
    auto donor = store::open_memory_store(std::make_shared<store::DurableImage>());
    const store::Change change{.key = "da", .value = "1"};
    ASSERT_TRUE(donor->apply({&change, 1}, {.applied = {{1}, {5}, 0}}));
    const auto checkpoint = donor->checkpoint();
    ASSERT_TRUE(checkpoint.has_value());
    auto receiver = store_.receive();
    ASSERT_TRUE(receiver.has_value());
    for (std::size_t i = 0; i < (*checkpoint)->files().size(); ++i) {
        const auto& file = (*checkpoint)->files()[i];
        const auto bytes = (*checkpoint)->read(i, 0, file.bytes);
        ASSERT_TRUE(bytes.has_value());
        ASSERT_TRUE((*receiver)->write(file.name, as_bytes(*bytes)));
    }
    ASSERT_TRUE((*receiver)->install((*checkpoint)->position()));
    store_.look_again();
    EXPECT_EQ(store_.get("da").value(), "1");
    EXPECT_EQ(digest_, donor->digest().value());
}

TEST_F(WatchedStoreTest, ACheckpointOfARottenStoreIsRotten) {  // S25
    put("da", "1", 1);
    rotten_.key = "da";
    const auto checkpoint = store_.checkpoint();
    ASSERT_TRUE(checkpoint.has_value());
    auto other = store::open_memory_store(std::make_shared<store::DurableImage>());
    auto receiver = other->receive();
    ASSERT_TRUE(receiver.has_value());
    for (std::size_t i = 0; i < (*checkpoint)->files().size(); ++i) {
        const auto& file = (*checkpoint)->files()[i];
        ASSERT_TRUE((*receiver)->write(file.name, as_bytes((*checkpoint)->read(i, 0, file.bytes).value())));
    }
    const Status verified = (*receiver)->verify((*checkpoint)->position());
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace tanist::sim
