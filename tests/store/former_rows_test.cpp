// SPDX-License-Identifier: Apache-2.0
// What the cold tier had under the keys that were changed since: told to a restart, or not told, and never told wrongly.
#include "store/former_rows.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/random.h"
#include "tests/store/stores.h"

namespace tanist::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Rows = std::map<std::string, std::optional<std::string>>;

EntryId at(std::uint64_t lsn) { return {.epoch = Epoch{1}, .lsn = Lsn{lsn}, .checksum = static_cast<std::uint32_t>(lsn * 7)}; }
Position position_at(std::uint64_t lsn) { return {.applied = at(lsn), .timestamp = lsn}; }

class FormerRowsTest : public ::testing::Test {
protected:
    Rows told(const EntryId& base) const {
        Rows rows;
        visit_former(path, base, [&](std::string_view key, std::optional<std::string_view> row) {
            EXPECT_TRUE(rows.emplace(key, row).second) << key;
            return true;
        });
        return rows;
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()));
    }

    TemporaryDirectory directory;
    const std::string path = directory.path() + "/former";
};

TEST_F(FormerRowsTest, TheFilesOfOneGenerationAfterTheOtherTellWhatWasThereAtABase) {
    FormerRows former(path, at(10), 1 << 20);
    former.note("changed", "row");
    former.note("made", std::nullopt);
    former.note_unknown("index");
    former.freeze(at(20));
    former.note("changed", "newer");
    former.note("index", "newer");
    former.note("later", "row");
    former.freeze(at(30));
    former.await_written();
    EXPECT_THAT(told(at(10)), ElementsAre(Pair("changed", "row"), Pair("later", "row"), Pair("made", std::nullopt)))
        << "of a key whose row nobody knew, a later file tells what came to be in between";
    EXPECT_THAT(told(at(20)), ElementsAre(Pair("changed", "newer"), Pair("index", "newer"), Pair("later", "row")));
    EXPECT_THAT(told(at(11)), IsEmpty());
    EXPECT_THAT(told({.epoch = Epoch{1}, .lsn = Lsn{10}, .checksum = 1}), IsEmpty()) << "a position of another history";
}

TEST_F(FormerRowsTest, NothingIsReadBehindAGenerationThatIsNotToldInFull) {
    FormerRows former(path, at(10), 1 << 20);
    former.note("a", "row");
    former.note_range();
    former.freeze(at(20));
    former.note("b", "row");
    former.freeze(at(30));
    former.await_written();
    EXPECT_THAT(told(at(10)), ElementsAre(Pair("a", "row")));
    EXPECT_THAT(told(at(20)), ElementsAre(Pair("b", "row")));
}

TEST_F(FormerRowsTest, WhatTheColdTierHasOnDiskIsForgotten) {
    FormerRows former(path, at(10), 1 << 20);
    former.note("a", "row");
    former.freeze(at(20));
    former.note("b", "row");
    former.freeze(at(30));
    former.forget_through(Lsn{25});
    former.await_written();
    EXPECT_EQ(files(), 2U) << "the second, and the one that is written now";
    EXPECT_THAT(told(at(10)), IsEmpty());
    EXPECT_THAT(told(at(20)), ElementsAre(Pair("b", "row")));
    former.note("b", "row");
    former.start_over(at(100));
    former.note("c", "row");
    former.freeze(at(110));
    former.await_written();
    EXPECT_THAT(told(at(20)), IsEmpty());
    EXPECT_THAT(told(at(30)), IsEmpty());
    EXPECT_THAT(told(at(100)), ElementsAre(Pair("c", "row")));
}

TEST_F(FormerRowsTest, FilesStayWithinTheirBound) {
    FormerRows former(path, at(10), 300'000);
    for (int i = 0; i < 10'000; ++i) former.note("a" + std::to_string(i), std::string(100, 'a'));
    former.freeze(at(20));
    for (int i = 0; i < 10'000; ++i) former.note("b" + std::to_string(i), std::string(100, 'b'));
    former.freeze(at(30));
    former.await_written();
    std::uintmax_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(path)) bytes += file.file_size();
    EXPECT_LT(bytes, 400'000U);
    const Rows rows = told(at(10));
    EXPECT_GT(rows.size(), 2000U);
    for (const auto& [key, row] : rows) EXPECT_TRUE(key.starts_with("a")) << "nothing is read behind what is not told in full";
    former.forget_through(Lsn{30});
    former.freeze(at(40));
    former.note("c", "row");
    former.freeze(at(50));
    former.await_written();
    EXPECT_THAT(told(at(40)), ElementsAre(Pair("c", "row"))) << "there is room again";
}

TEST_F(FormerRowsTest, ADamagedOrCutFileTellsNothingWrong) {
    Rows first, second;
    {
        FormerRows former(path, at(10), 1 << 20);
        for (int i = 0; i < 20; ++i) {
            const std::string key = "k" + std::to_string(i), row = "row " + std::to_string(i * 17);
            former.note(key, row);
            first[key] = row;
        }
        former.freeze(at(20));
        former.note("k3", "newer");
        former.note("x", "row");
        second = {{"k3", "newer"}, {"x", "row"}};
        former.freeze(at(30));
    }
    const std::string file = path + "/1";
    std::string whole;
    {
        std::ifstream in(file, std::ios::binary);
        whole.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto rewrite = [&](const std::string& bytes) { std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes; };
    ASSERT_EQ(told(at(10)).size(), 21U);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const bool cut : {false, true}) {
            std::string bytes = whole;
            if (cut)
                bytes.resize(i);
            else
                bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
            rewrite(bytes);
            EXPECT_THAT(told(at(10)), IsEmpty()) << "one chunk has all notes, and one bit of it, or its end, is wrong at " << i;
        }
    }
    rewrite(whole + "garbage");
    EXPECT_EQ(told(at(10)).size(), 21U);
}

// -- with the hot set --------------------------------------------------------------------------------------------------------

/// A store that is changed, killed, and brought up to date again from wherever its cold tier stands, as a restart does from the log.
class Life {
public:
    Life(std::string path, std::uint64_t seed) : path_(std::move(path)), random_(seed) { open(); }

    void change() {
        OwnedChanges::One one{"k" + std::to_string(random_.below(100)),
                              std::string(random_.below(60), 'v') + std::to_string(steps_.size())};
        if (random_.below(20) == 0) one.value = std::string(random_.below(2000), 'l');
        if (random_.below(4) == 0) one.value.reset();
        if (random_.below(40) == 0) one = {"k", std::nullopt, "k" + std::to_string(random_.below(10))};
        steps_.push_back({one, random_.below(4) != 0});
        states_.push_back(states_.back());
        if (!one.end.empty()) {
            std::erase_if(states_.back(), [&](const auto& row) { return row.first >= one.key && row.first < one.end; });
        } else if (one.value) {
            states_.back()[one.key] = *one.value;
        } else {
            states_.back().erase(one.key);
        }
        perform(steps_.size());
        if (random_.below(100) == 0) {
            EXPECT_TRUE(store_->flush());
        }
        if (random_.below(20) == 0) {
            EXPECT_TRUE(store_->checkpoint()) << "all has arrived, and is not on disk";
        }
    }

    void kill() {
        store_.reset();
        const auto& stored = states_[image_->position.applied.lsn.value];
        visit_former(path_, image_->position.applied, [&](std::string_view key, std::optional<std::string_view> row) {
            const auto found = stored.find(std::string(key));
            EXPECT_EQ(row, found == stored.end() ? std::nullopt : std::optional<std::string_view>(found->second)) << key;
            ++told;
            return true;
        });
        open();
        for (std::uint64_t lsn = image_->position.applied.lsn.value + 1; lsn <= steps_.size(); ++lsn) perform(lsn);
    }

    std::size_t told = 0;

private:
    struct Step {
        OwnedChanges::One change;
        bool is_read_before;  ///< mostly: the rest is written blindly
    };

    void open() {
        store_ = open_hot_store(std::make_unique<LockedStore>(open_memory_store(image_)),
                                {.memory_max = 64 << 10, .gathered_max = 1500, .former_path = path_});
    }
    void perform(std::uint64_t lsn) {
        const auto& [one, is_read_before] = steps_[lsn - 1];
        const auto& before = states_[lsn - 1];
        const auto expect_read = [&](const std::string& key) {
            const auto found = before.find(key);
            EXPECT_EQ(store_->get(key).value(), found == before.end() ? std::nullopt : std::optional(found->second)) << key;
        };
        if (is_read_before) expect_read(one.key);
        if (lsn % 4 == 0) expect_read("k" + std::to_string(lsn % 100));
        OwnedChanges changes;
        changes.push_back(one);
        ASSERT_TRUE(store_->apply(changes.all(), position_at(lsn)));
    }

    const std::string path_;
    Random random_;
    std::shared_ptr<DurableImage> image_ = std::make_shared<DurableImage>(DurableImage{.position = position_at(0)});
    std::vector<Step> steps_;
    std::vector<std::map<std::string, std::string>> states_{{}};  ///< by LSN
    std::unique_ptr<Store> store_;
};

TEST_F(FormerRowsTest, WhereverTheColdTierStandsARestartIsToldWhatItHas) {
    std::size_t told = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Life life(path, seed);
        for (int kills = 0; kills < 6; ++kills) {
            for (int i = 0; i < 150; ++i) life.change();
            life.kill();
        }
        told += life.told;
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
    EXPECT_GT(told, 0U);
}

TEST_F(FormerRowsTest, ARestartAsksTheColdTierForNothingThatIsTold) {
    const auto image = std::make_shared<DurableImage>();
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i) image->rows[names.emplace_back("k" + std::to_string(i))] = "old";
    const std::vector<std::string_view> keys(names.begin(), names.end());
    const HotStoreOptions options{.memory_max = 16 << 20, .former_path = path};
    for (const bool is_restart : {false, true}) {
        const auto store = open_hot_store(std::make_unique<LockedStore>(open_memory_store(image)), options);
        ASSERT_TRUE(store->get_many(keys));
        EXPECT_EQ(store->cache().misses, is_restart ? 0U : 1000U);
        std::vector<Change> changes;
        for (const auto key : keys) changes.push_back({key, "new"});
        ASSERT_TRUE(store->apply(changes, position_at(1)));
    }
}

}  // namespace
}  // namespace tanist::store
