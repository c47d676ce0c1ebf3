// SPDX-License-Identifier: Apache-2.0
// What every kind of store promises.
#include "store/store.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <thread>

#include "base/random.h"
#include "tests/store/stores.h"

namespace tanist::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::SizeIs;

Position at(std::uint64_t lsn) {
    return {.applied = {.epoch = Epoch{1}, .lsn = Lsn{lsn}, .checksum = static_cast<std::uint32_t>(lsn * 7)}, .timestamp = 1000 + lsn};
}

template <class Place>
class StoreTest : public ::testing::Test {
protected:
    void SetUp() override { reopen(); }

    /// What was applied and not stored is gone, as after a crash.
    void reopen() {
        store.reset();
        auto opened = place.open();
        ASSERT_TRUE(opened) << opened.error().message;
        store = std::move(*opened);
    }
    void apply(std::uint64_t lsn, std::vector<Change> changes) { ASSERT_TRUE(store->apply(changes, at(lsn))); }
    void put(std::uint64_t lsn, std::string key, std::string value) { apply(lsn, {{std::move(key), std::move(value)}}); }
    std::optional<std::string> get(std::string_view key) { return store->get(key).value(); }
    std::vector<std::pair<std::string, std::string>> all() { return store->scan({}).value().rows; }

    /// Flushes, and awaits that stored() has followed.
    void flush() {
        ASSERT_TRUE(store->flush());
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (store->stored() != store->position().applied.lsn) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }

    /// Brings `from` into `into` in pieces of `piece` bytes, short of installing it.
    static std::unique_ptr<CheckpointReceiver> copy(const Checkpoint& from, Store& into, std::size_t piece = 1000) {
        auto receiver = into.receive().value();
        for (std::size_t file = 0; file < from.files().size(); ++file) {
            for (std::uint64_t offset = 0; offset < from.files()[file].bytes;) {
                const auto bytes = from.read(file, offset, piece).value();
                EXPECT_TRUE(receiver->write(from.files()[file].name, as_bytes(bytes)));
                offset += bytes.size();
            }
        }
        return receiver;
    }

    Place place;
    std::unique_ptr<Store> store;
};
TYPED_TEST_SUITE(StoreTest, Places);

TYPED_TEST(StoreTest, StartsEmptyAtPositionZero) {
    EXPECT_EQ(this->store->position(), Position{});
    EXPECT_EQ(this->store->stored(), Lsn{});
    EXPECT_THAT(this->all(), IsEmpty());
}

TYPED_TEST(StoreTest, GetSeesWhatWasAppliedAtOnce) {
    this->apply(1, {{"a", "1"}, {"b", "2"}, {"c", std::string("\0\xff", 2)}});
    this->apply(2, {{"b", std::nullopt}, {"a", ""}});
    EXPECT_EQ(this->get("a"), "");
    EXPECT_EQ(this->get("b"), std::nullopt);
    EXPECT_EQ(this->get("c"), std::string("\0\xff", 2));
    EXPECT_EQ(this->store->position(), at(2));
}

TYPED_TEST(StoreTest, LaterChangesOfAKeyWinOverEarlierOnes) {
    this->apply(1, {{"a", "1"}, {"a", std::nullopt}, {"b", std::nullopt}, {"b", "2"}});
    EXPECT_THAT(this->all(), ElementsAre(Pair("b", "2")));
}

TYPED_TEST(StoreTest, ARangeTakesAllItsKeysAndWhatWasChangedBeforeIt) {
    this->apply(1, {{"a", "1"}, {"b", "2"}, {"bb", "3"}, {"c", "4"}});
    this->flush();
    this->apply(2, {{"bc", "new"}, {"b", std::nullopt, "c"}, {"bd", "behind"}});
    EXPECT_THAT(this->all(), ElementsAre(Pair("a", "1"), Pair("bd", "behind"), Pair("c", "4")));
    this->flush();
    this->reopen();
    EXPECT_THAT(this->all(), ElementsAre(Pair("a", "1"), Pair("bd", "behind"), Pair("c", "4")));
    EXPECT_EQ(this->get("bb"), std::nullopt);
}

TYPED_TEST(StoreTest, ARangeIsInCheckpointsAndDigestsAsSingleDeletionsAre) {
    this->apply(1, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
    this->apply(2, {{"b", std::nullopt, "d"}});
    TypeParam other_place;
    auto other = other_place.open().value();
    ASSERT_TRUE(other->apply(std::vector<Change>{{"a", "1"}}, at(1)));
    EXPECT_EQ(this->store->digest().value(), other->digest().value());
    const auto checkpoint = this->store->checkpoint().value();
    ASSERT_TRUE(this->copy(*checkpoint, *other)->install(at(2)));
    EXPECT_THAT(other->scan({}).value().rows, ElementsAre(Pair("a", "1")));
}

TYPED_TEST(StoreTest, GetManyAnswersInOrder) {
    this->apply(1, {{"a", "1"}, {"b", "2"}});
    std::vector<std::string_view> keys{"b", "x", "a", "b"};
    EXPECT_THAT(this->store->get_many(keys).value(),
                ElementsAre(Optional(std::string("2")), std::nullopt, Optional(std::string("1")), Optional(std::string("2"))));
    EXPECT_THAT(this->store->get_many({}).value(), IsEmpty());
}

TYPED_TEST(StoreTest, GetManyStopsBehindItsBytesAndAlwaysAnswersOne) {
    OwnedChanges changes;
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) {
        names.push_back("k" + std::to_string(99 - i));  // not in the order of the store
        changes.push_back({names.back(), std::string(100, 'v')});
    }
    this->apply(1, changes.all());
    this->flush();
    const std::vector<std::string_view> keys(names.begin(), names.end());
    for (const std::size_t bytes_max : {0, 1, 99, 100, 101, 3300, 9999}) {
        const auto values = this->store->get_many(keys, bytes_max).value();
        EXPECT_GE(values.size(), 1U);
        EXPECT_LE(values.size(), std::max<std::size_t>(1, (bytes_max + 99) / 100));
        for (const auto& value : values) EXPECT_EQ(value, std::string(100, 'v'));
    }
    EXPECT_THAT(this->store->get_many(keys, 10'000).value(), SizeIs(100));
}

TYPED_TEST(StoreTest, ScanGoesFromBeginToBeforeEnd) {
    this->apply(1, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {std::string("\xff\xff"), "4"}});
    EXPECT_THAT(this->store->scan({.begin = "b", .end = "c"}).value().rows, ElementsAre(Pair("b", "2")));
    EXPECT_THAT(this->store->scan({.begin = "bb"}).value().rows, ElementsAre(Pair("c", "3"), Pair("\xff\xff", "4")));
    EXPECT_THAT(this->store->scan({.begin = "c", .end = "b"}).value().rows, IsEmpty());
}

TYPED_TEST(StoreTest, ScanSaysThatThereIsMoreOnlyWhenThereIs) {
    this->apply(1, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
    const auto two = this->store->scan({.rows_max = 2}).value();
    EXPECT_THAT(two.rows, SizeIs(2));
    EXPECT_TRUE(two.more);
    EXPECT_FALSE(this->store->scan({.rows_max = 3}).value().more);
    EXPECT_FALSE(this->store->scan({.end = "c", .rows_max = 2}).value().more);
}

TYPED_TEST(StoreTest, ScanStopsAfterTheRowThatPassesItsBytes) {
    this->apply(1, {{"a", std::string(100, 'x')}, {"b", std::string(100, 'x')}, {"c", "3"}});
    EXPECT_THAT(this->store->scan({.bytes_max = 0}).value().rows, SizeIs(1));
    EXPECT_THAT(this->store->scan({.bytes_max = 102}).value().rows, SizeIs(2));
    EXPECT_THAT(this->store->scan({.rows_max = 0}).value().rows, SizeIs(1));  // never none: the caller would not get on
}

TYPED_TEST(StoreTest, StoredFollowsAFlushAndNeverRunsAhead) {  // S11
    this->put(1, "a", "1");
    EXPECT_EQ(this->store->stored(), Lsn{0});
    EXPECT_GT(this->store->unstored_bytes(), 0U);
    this->flush();
    EXPECT_EQ(this->store->stored(), Lsn{1});
    EXPECT_EQ(this->store->unstored_bytes(), 0U);
    this->put(2, "b", "2");
    EXPECT_EQ(this->store->stored(), Lsn{1});
}

TYPED_TEST(StoreTest, ReopeningFindsWhatWasStoredAndItsPosition) {  // S11
    this->apply(1, {{"a", "1"}, {"b", "1"}});
    this->apply(2, {{"a", "2"}, {"b", std::nullopt}});
    this->flush();
    this->apply(3, {{"a", "3"}, {"c", "3"}});
    this->reopen();
    EXPECT_EQ(this->store->position(), at(2));
    EXPECT_EQ(this->store->stored(), Lsn{2});
    EXPECT_EQ(this->store->unstored_bytes(), 0U);
    EXPECT_THAT(this->all(), ElementsAre(Pair("a", "2")));
    this->put(3, "a", "3 again");
    EXPECT_EQ(this->get("a"), "3 again");
}

TYPED_TEST(StoreTest, APositionMovesAndIsStoredWithoutAnyChange) {
    this->apply(1, {});
    this->flush();
    this->reopen();
    EXPECT_EQ(this->store->position(), at(1));
}

TYPED_TEST(StoreTest, FlushesAskedForWhileOneRunsAreDoneToo) {
    for (std::uint64_t lsn = 1; lsn <= 200; ++lsn) {
        this->put(lsn, "key" + std::to_string(lsn), std::string(1000, 'v'));
        ASSERT_TRUE(this->store->flush());
        ASSERT_LE(this->store->stored(), Lsn{lsn});
    }
    this->flush();
    this->reopen();
    EXPECT_EQ(this->store->position(), at(200));
}

TYPED_TEST(StoreTest, DigestCountsContentAndNotHistory) {  // S26
    this->apply(1, {{"a", "1"}, {"b", "2"}});
    const auto digest = this->store->digest().value();
    this->apply(2, {{"b", "x"}, {"c", "3"}});
    EXPECT_NE(this->store->digest().value(), digest);
    this->apply(3, {{"b", "2"}, {"c", std::nullopt}});
    EXPECT_EQ(this->store->digest().value(), digest);
    this->apply(4, {{"b", std::nullopt}, {"a", "1b"}});  // the border between rows counts
    EXPECT_NE(this->store->digest().value(), digest);
}

TYPED_TEST(StoreTest, DigestIsTheSameForAllKindsOfStoreForEver) {
    this->apply(1, {{"a", "1"}, {"key", std::string(100, 'v')}, {"empty", ""}});
    EXPECT_EQ(this->store->digest().value(), 17141410082210319277U);
}

// -- checkpoints -----------------------------------------------------------------------------------------------------------

TYPED_TEST(StoreTest, ACheckpointIsNotTouchedByLaterWrites) {  // S25
    this->apply(1, {{"a", "1"}, {"b", "2"}});
    const auto digest = this->store->digest().value();
    auto checkpoint = this->store->checkpoint().value();
    this->apply(2, {{"a", "9"}, {"b", std::nullopt}, {"z", "9"}});
    this->flush();

    TypeParam other_place;
    auto other = other_place.open().value();
    auto receiver = this->copy(*checkpoint, *other);
    ASSERT_TRUE(receiver->install(checkpoint->position()));
    EXPECT_EQ(other->digest().value(), digest);
    EXPECT_EQ(other->position(), at(1));
}

TYPED_TEST(StoreTest, AnInstalledCheckpointIsStoredAndReplacesEverything) {  // S25
    for (int i = 0; i < 5000; ++i) this->put(i + 1, "key" + std::to_string(i), std::string(100, 'v'));
    auto checkpoint = this->store->checkpoint().value();

    TypeParam other_place;
    auto other = other_place.open().value();
    ASSERT_TRUE(other->apply(std::vector<Change>{{"old", "1"}}, at(7)));
    ASSERT_TRUE(this->copy(*checkpoint, *other, 1 << 16)->install(checkpoint->position()));
    EXPECT_EQ(other->stored(), Lsn{5000});
    EXPECT_EQ(other->get("old").value(), std::nullopt);
    ASSERT_TRUE(other->apply(std::vector<Change>{{"new", "1"}}, at(5001)));

    other.reset();
    other = other_place.open().value();
    EXPECT_EQ(other->position(), at(5000));
    EXPECT_EQ(other->digest().value(), this->store->digest().value());
}

TYPED_TEST(StoreTest, ACopyThatIsGivenUpLeavesTheStoreAsItWas) {  // S25: the old data stays until the new is complete
    this->put(1, "a", "1");
    auto checkpoint = this->store->checkpoint().value();
    TypeParam other_place;
    auto other = other_place.open().value();
    ASSERT_TRUE(other->apply(std::vector<Change>{{"old", "1"}}, at(1)));
    this->copy(*checkpoint, *other).reset();
    EXPECT_EQ(other->get("old").value(), "1");
    ASSERT_TRUE(this->copy(*checkpoint, *other)->install(at(1)));
    EXPECT_EQ(other->get("a").value(), "1");
}

TYPED_TEST(StoreTest, ADamagedCopyIsNotInstalled) {  // S25: verified
    Random random(1);
    std::string value;  // large and without pattern, so that the middle of its file is data: what only a check of all of it finds
    for (int i = 0; i < 10'000; ++i) ByteWriter(value).u64(random.next());
    this->put(1, "a", value);
    auto checkpoint = this->store->checkpoint().value();
    for (std::size_t damaged = 0; damaged < checkpoint->files().size(); ++damaged) {
        if (checkpoint->files()[damaged].name.starts_with("OPTIONS")) continue;  // not needed to open it
        for (const bool missing : {false, true}) {
            TypeParam other_place;
            auto other = other_place.open().value();
            ASSERT_TRUE(other->apply(std::vector<Change>{{"old", "1"}}, at(1)));
            auto receiver = other->receive().value();
            bool refused = false;
            for (std::size_t file = 0; file < checkpoint->files().size(); ++file) {
                auto bytes = checkpoint->read(file, 0, 1 << 20).value();
                if (file == damaged && missing) continue;
                if (file == damaged) bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
                refused = refused || !receiver->write(checkpoint->files()[file].name, as_bytes(bytes));
            }
            if (!refused) {
                EXPECT_FALSE(receiver->verify(at(1))) << checkpoint->files()[damaged].name << " missing=" << missing;
                const auto status = receiver->install(at(1));
                ASSERT_FALSE(status) << checkpoint->files()[damaged].name << " missing=" << missing;
                EXPECT_EQ(status.error().code, ErrorCode::kCorrupt) << status.error().message;
            }
            EXPECT_EQ(other->get("old").value(), "1");
            ASSERT_TRUE(other->apply(std::vector<Change>{{"old", "2"}}, at(2)));
        }
    }
}

TYPED_TEST(StoreTest, ACopyAtAnotherPositionThanAnnouncedIsNotInstalled) {
    this->put(5, "a", "1");
    auto checkpoint = this->store->checkpoint().value();
    TypeParam other_place;
    auto other = other_place.open().value();
    EXPECT_EQ(this->copy(*checkpoint, *other)->verify(at(6)).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(this->copy(*checkpoint, *other)->install(at(6)).error().code, ErrorCode::kCorrupt);
    auto receiver = this->copy(*checkpoint, *other);
    ASSERT_TRUE(receiver->verify(at(5)));
    EXPECT_EQ(other->position(), Position{});  // it was only looked at
    receiver.reset();
    EXPECT_EQ(other->position(), Position{});
}

TYPED_TEST(StoreTest, ACopyBelowWhatIsAppliedIsRefused) {  // S25: never below its applied LSN
    this->put(5, "a", "1");
    auto checkpoint = this->store->checkpoint().value();
    TypeParam other_place;
    auto other = other_place.open().value();
    ASSERT_TRUE(other->apply(std::vector<Change>{{"old", "1"}}, at(6)));
    EXPECT_EQ(this->copy(*checkpoint, *other)->install(at(5)).error().code, ErrorCode::kRefused);
    EXPECT_EQ(other->get("old").value(), "1");
}

TYPED_TEST(StoreTest, AFileNameThatLeadsElsewhereIsRefused) {
    auto receiver = this->store->receive().value();
    for (const char* name : {"", "../vote.a", "/tmp/x", "..", "LOCK", "a/b.sst", "current"}) {
        const auto status = receiver->write(name, as_bytes("x"));
        ASSERT_FALSE(status) << name;
        EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    }
}

TYPED_TEST(StoreTest, ReadingACheckpointBehindItsEndIsRefused) {
    this->put(1, "a", "1");
    auto checkpoint = this->store->checkpoint().value();
    const auto files = checkpoint->files();
    EXPECT_FALSE(checkpoint->read(files.size(), 0, 1));
    EXPECT_FALSE(checkpoint->read(0, files[0].bytes + 1, 1));
    EXPECT_EQ(checkpoint->read(0, files[0].bytes, 1).value(), "");
}

TYPED_TEST(StoreTest, AgreesWithAMapOverRandomChangesAndCrashes) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        TypeParam here;
        auto tested = here.open().value();
        Random random(seed);
        std::map<std::uint64_t, std::map<std::string, std::string>> history{{0, {}}};
        std::uint64_t lsn = 0;
        for (int step = 0; step < 300; ++step) {
            if (random.chance(1, 20)) {
                ASSERT_TRUE(tested->flush());
            } else if (random.chance(1, 40)) {
                const Lsn stored = tested->stored();
                tested.reset();
                tested = here.open().value();
                lsn = tested->position().applied.lsn.value;
                ASSERT_GE(lsn, stored.value);
                std::map<std::string, std::string> rows;
                const auto found = tested->scan({.rows_max = 1000}).value();
                for (const auto& [key, value] : found.rows) rows[key] = value;
                ASSERT_EQ(rows, history[lsn]);
            } else {
                auto rows = history[lsn];
                OwnedChanges changes;
                for (std::uint64_t n = random.below(5); n > 0; --n) {
                    const std::string key = "k" + std::to_string(random.below(30));
                    if (random.chance(1, 3)) {
                        changes.push_back({key, std::nullopt});
                        rows.erase(key);
                    } else {
                        changes.push_back({key, std::to_string(random.next())});
                        rows[key] = *changes.back().value;
                    }
                }
                ASSERT_TRUE(tested->apply(changes.all(), at(++lsn)));
                history[lsn] = rows;
            }
        }
    }
}

}  // namespace
}  // namespace tanist::store
