// SPDX-License-Identifier: Apache-2.0
// Spare segments: made ahead, taken by the writer, and never mistaken for each other.
#include "wal/stock.h"

#include <gmock/gmock.h>

#include "tests/wal/support.h"
#include "wal/memory_file_system.h"

namespace tanist::wal {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kBytes = 4096;

class StockTest : public ::testing::Test {
protected:
    StockTest() { EXPECT_TRUE(files_.make_directory("wal")); }

    void prepare_all(Stock& stock) {
        Result<bool> more = true;
        while (more && *more) more = stock.prepare();
        ASSERT_TRUE(more) << more.error().message;
    }
    void make(const std::string& path) {
        auto file = files_.open(path, OpenMode::kCreate);
        ASSERT_TRUE(file);
        ASSERT_OK((*file)->truncate(kBytes));
    }

    MemoryFileSystem files_;
};

// The writer takes a spare file while the next is made beside it: with one name for both, the second would take the first one's place
// and then be missed.
TEST_F(StockTest, EachFileMadeAheadHasANameOfItsOwn) {
    Stock stock(files_, "wal", kBytes, 4);
    ASSERT_OK(stock.adopt({}, {}));
    prepare_all(stock);
    EXPECT_THAT(*files_.list("wal"), ElementsAre("ahead-0.spare"));
    ASSERT_TRUE(stock.take("wal/first", kBytes));
    prepare_all(stock);
    EXPECT_THAT(*files_.list("wal"), ElementsAre("ahead-1.spare", "first"));
}

TEST_F(StockTest, NamesOfAnEarlierProcessAreNotGivenAgain) {
    make("wal/ahead-3.spare");
    make("wal/ahead-7.used");
    Stock stock(files_, "wal", kBytes, 4);
    ASSERT_OK(stock.adopt({"ahead-3.spare"}, {"ahead-7.used"}));
    prepare_all(stock);
    for (const char* name : {"wal/a", "wal/b"}) ASSERT_TRUE(stock.take(name, kBytes));
    prepare_all(stock);
    EXPECT_THAT(*files_.list("wal"), ElementsAre("a", "ahead-8.spare", "b"));
}

}  // namespace
}  // namespace tanist::wal
