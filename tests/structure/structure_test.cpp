// SPDX-License-Identifier: Apache-2.0
// The rooms and rules of this code hold, file by file; and each rule finds what it is there to find.
#include <gmock/gmock.h>

#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "tests/structure/rooms.h"
#include "tests/structure/rules.h"
#include "tests/structure/source_file.h"

namespace tanist::structure {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::vector<SourceFile>& product() {
    static const std::vector<SourceFile> kFiles = read_sources(TANIST_SOURCE_DIR, {"include", "src"});
    return kFiles;
}

const std::vector<SourceFile>& everything() {
    static const std::vector<SourceFile> kFiles = read_sources(TANIST_SOURCE_DIR, {"include", "src", "tests", "bench"});
    return kFiles;
}

using Rule = std::vector<std::string>(const SourceFile&);

std::vector<std::string> violations(const std::vector<SourceFile>& files, Rule* rule) {
    std::vector<std::string> all;
    for (const SourceFile& file : files) std::ranges::move(rule(file), std::back_inserter(all));
    return all;
}

TEST(Sources, IncludeOnlyWhatTheirRoomAllows) {
    const Rooms rooms = read_rooms(TANIST_SOURCE_DIR);
    ASSERT_FALSE(product().empty());
    for (const SourceFile& file : product()) EXPECT_THAT(forbidden_includes(file, rooms), IsEmpty());
}

TEST(Sources, StandInRoomsWithoutACircle) { EXPECT_THAT(arrows_upward(read_rooms(TANIST_SOURCE_DIR)), IsEmpty()); }

TEST(Sources, GiveTheSameResultEverywhereWhereTheyMust) { EXPECT_THAT(violations(product(), nondeterminism), IsEmpty()); }
TEST(Sources, OpenWithLicenceAndPurpose) { EXPECT_THAT(violations(everything(), bad_opening), IsEmpty()); }
TEST(Sources, HaveALengthThatCanBeRead) { EXPECT_THAT(violations(everything(), too_long), IsEmpty()); }
TEST(Sources, AreFinished) { EXPECT_THAT(violations(everything(), unfinished), IsEmpty()); }
TEST(Sources, NeverSleep) { EXPECT_THAT(violations(everything(), sleeps), IsEmpty()); }
TEST(Sources, NeitherThrowNorDefineMacros) { EXPECT_THAT(violations(product(), forbidden_language), IsEmpty()); }

TEST(Sources, FeedEveryMetricOfTheCatalogue) {
    std::set<std::string> described, fed;
    for (const SourceFile& file : product()) {
        const bool describes = file.path == "src/metrics/catalogue.cpp";
        for (const std::string& line : file.code) {
            for (std::size_t at = 0; (at = line.find("Metric::k", at)) != std::string::npos; ++at) {
                const std::size_t end = line.find_first_of(",;:)}] ", at + std::string_view("Metric::").size());
                (describes ? described : fed).insert(line.substr(at, end - at));
            }
        }
    }
    ASSERT_FALSE(described.empty());
    for (const std::string& metric : described) EXPECT_TRUE(fed.contains(metric)) << metric << ": what nobody sets says 0 for ever";
}

// What the rules find, shown on made-up files.

Rooms made_up_rooms() {
    Rooms rooms{.order = {"base", "core", "wal", "client"}, .uses = {}};
    add_uses("tanist_room(base USES fmt::fmt tl::expected)", rooms);
    add_uses("tanist_room(core USES tanist_base)\n", rooms);
    add_uses(
        "if(A)\n  tanist_room(wal USES tanist_base\n    RocksDB::rocksdb-shared)\nelse()\n  tanist_room(wal USES tanist_base WITHOUT "
        "\"/x\")\nendif()",
        rooms);
    add_uses("tanist_room(client USES tanist_base asio)", rooms);
    return rooms;
}

TEST(Rooms, AreReadFromTheirCMakeLists) {
    const Rooms rooms = made_up_rooms();
    EXPECT_THAT(rooms.uses.at("core"), UnorderedElementsAre("base"));
    EXPECT_THAT(rooms.uses.at("wal"), UnorderedElementsAre("base", "RocksDB::rocksdb-shared"));
    EXPECT_THAT(arrows_upward(rooms), IsEmpty());
}

TEST(Rooms, MayNotUseOneAboveThem) {
    Rooms rooms = made_up_rooms();
    add_uses("tanist_room(base USES tanist_core)", rooms);
    EXPECT_THAT(arrows_upward(rooms), ElementsAre("base uses core, which does not stand below it"));
}

TEST(Rooms, RefuseAnIncludeThatTheyDoNotList) {
    const SourceFile file =
        parse_source("src/core/node.h",
                     "#include \"base/types.h\"\n#include \"core/event.h\"\n#include <vector>\n#include <fmt/format.h>\n"
                     "#include \"wal/reader.h\"\n#include <rocksdb/db.h>\n#include <boost/any.hpp>\n"
                     "#include \"tanist/client.h\"\n// #include \"wal/writer.h\"\n");
    EXPECT_THAT(forbidden_includes(file, made_up_rooms()),
                ElementsAre("src/core/node.h:5: includes wal/reader.h: core/ may not use wal/",
                            "src/core/node.h:6: includes rocksdb/db.h: core/ may not use RocksDB::rocksdb-shared",
                            "src/core/node.h:7: includes boost/any.hpp: belongs to no room and no library of this project",
                            "src/core/node.h:8: includes tanist/client.h: core/ may not use the client library"));
}

TEST(Rooms, LeaveTheAllocatorToTheProgram) {
    EXPECT_THAT(forbidden_includes(parse_source("src/wal/main.cpp", "#include <mimalloc.h>\n"), made_up_rooms()), IsEmpty());
    EXPECT_THAT(forbidden_includes(parse_source("src/wal/log.cpp", "#include <mimalloc.h>\n"), made_up_rooms()),
                ElementsAre("src/wal/log.cpp:1: includes mimalloc.h: only a program may name the allocator"));
}

TEST(Rooms, RefuseAFileOutsideOfThem) {
    EXPECT_THAT(forbidden_includes(parse_source("src/attic/old.h", ""), made_up_rooms()),
                ElementsAre("src/attic/old.h:1: lies in no room"));
}

TEST(Rooms, ShowInPublicHeadersOnlyTheStandardLibraryAndExpected) {
    const SourceFile file = parse_source("include/tanist/client.h",
                                         "#include <tl/expected.hpp>\n#include <string>\n#include \"tanist/reply.h\"\n"
                                         "#include \"base/result.h\"\n#include <asio.hpp>\n");
    EXPECT_THAT(forbidden_includes(file, made_up_rooms()),
                ElementsAre(HasSubstr(":4: includes base/result.h"), HasSubstr(":5: includes asio.hpp")));
}

TEST(Determinism, RefusesClocksThreadsFilesAndChanceInTheCore) {
    for (const std::string line :
         {"auto now = std::chrono::steady_clock::now();", "std::mutex mutex_;", "std::thread worker;", "std::random_device seed;",
          "#include <thread>", "#include <fstream>", "#include <sys/socket.h>", "#include <spdlog/spdlog.h>", "#include <random>",
          "const int chance = rand();", "const auto now = ::time(nullptr);", "int s = socket(AF_INET, SOCK_STREAM, 0);"}) {
        EXPECT_EQ(nondeterminism(parse_source("src/core/node.cpp", line)).size(), 1u) << line;
        EXPECT_THAT(nondeterminism(parse_source("src/server/loop.cpp", line)), IsEmpty()) << line;
    }
}

TEST(Determinism, IsNotAskedOfCommentsAndStrings) {
    const SourceFile file = parse_source("src/core/node.cpp",
                                         "// no steady_clock here\n/* nor a std::mutex\n std::thread */ fail(\"std::mutex\");\n"
                                         "f(R\"(std::thread)\"); int million = 1'000'000; g('\"'); // std::mutex\n");
    EXPECT_THAT(nondeterminism(file), IsEmpty());
}

TEST(Openings, WantTheLicenceAndInHeadersAPurpose) {
    const std::string licence = "// SPDX-License-Identifier: Apache-2.0\n";
    EXPECT_THAT(bad_opening(parse_source("src/a/b.cpp", licence)), IsEmpty());
    EXPECT_THAT(bad_opening(parse_source("src/a/b.h", licence + "// What it is.\n#pragma once\n")), IsEmpty());
    EXPECT_THAT(bad_opening(parse_source("src/a/b.cpp", "int x;\n")), ElementsAre(HasSubstr("src/a/b.cpp:1: must be the line")));
    EXPECT_THAT(bad_opening(parse_source("src/a/b.h", licence + "#pragma once\n")),
                ElementsAre(HasSubstr("src/a/b.h:2: must be a sentence")));
    EXPECT_THAT(bad_opening(parse_source("src/a/b.h", licence + "// What it is.\n")), ElementsAre(HasSubstr("has no #pragma once")));
}

TEST(Length, EndsAtItsLimit) {
    std::string text;
    for (std::size_t i = 0; i < kLinesMax; ++i) text += "\n";
    EXPECT_THAT(too_long(parse_source("src/a/b.cpp", text)), IsEmpty());
    EXPECT_THAT(too_long(parse_source("src/a/b.cpp", text + "\n")), ElementsAre("src/a/b.cpp:601: 601 lines, at most 600 are allowed"));
}

TEST(Notes, OfUnfinishedWorkAreFoundInComments) {
    EXPECT_EQ(unfinished(parse_source("src/a/b.cpp", std::string("// TO") + "DO: the rest\n")).size(), 1u);
    EXPECT_EQ(unfinished(parse_source("src/a/b.cpp", std::string("// FIX") + "ME\n")).size(), 1u);
}

TEST(Sleeps, AreFoundInCodeAndNotInWords) {
    EXPECT_EQ(sleeps(parse_source("tests/a/b.cpp", "std::this_thread::sleep_for(1s);\nusleep (5);\n::sleep(1);\n")).size(), 3u);
    EXPECT_THAT(sleeps(parse_source("tests/a/b.cpp", "// no sleep(1)\nasleep(1); never_sleeps();\n")), IsEmpty());
}

TEST(Language, HasNoThrowAndNoMacroButEnsure) {
    EXPECT_EQ(forbidden_language(parse_source("src/a/b.cpp", "throw Oops();\n#define MAX(a, b) a\n#define ENSURE(c) c\n")).size(), 2u);
    EXPECT_THAT(forbidden_language(parse_source("tests/a/b.cpp", "throw Oops();\n")), IsEmpty());
}

}  // namespace
}  // namespace tanist::structure
