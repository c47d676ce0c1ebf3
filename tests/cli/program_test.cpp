// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/progress.h"
#include "cli/status.h"
#include "tests/client/fake_node.h"
#include "tests/temporary_directory.h"

namespace tanist::cli {
namespace {

namespace native = protocol::native;
using client::testing::Answer;
using client::testing::error_reply;
using client::testing::FakeCluster;
using client::testing::Silent;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Ran {
    Exit exit = Exit::kOk;
    std::string out, err;
};

class Program : public ::testing::Test {
protected:
    Ran run(std::vector<std::string> words, const std::string& input = "") {
        std::string seeds;
        for (const auto& address : cluster_.addresses()) seeds += (seeds.empty() ? "" : ",") + address;
        words.insert(words.begin(), {"--connect", seeds});
        return run_words(words, input);
    }
    static Ran run_words(const std::vector<std::string>& words, const std::string& input = "") {
        std::istringstream in(input);
        std::ostringstream out, err;
        const Exit exit = run_program(words, {.in = in, .out = out, .err = err});
        return {exit, out.str(), err.str()};
    }
    /// A file of its own, gone with the test.
    std::string file(const std::string& content) {
        const std::string path = folder_.path() + "/" + std::to_string(files_++);
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    template <class Body>
    void on_master(const Answer& answer) {
        cluster_.node(1).script([answer](const native::Request& request) {
            return std::holds_alternative<Body>(request.body) ? std::optional(answer) : std::nullopt;
        });
    }

    FakeCluster cluster_;
    TemporaryDirectory folder_;
    int files_ = 0;
};

TEST_F(Program, PutGetDelAndTheirExitCodes) {
    EXPECT_EQ(run({"put", "k", "v"}).exit, Exit::kOk);
    const auto got = run({"get", "k"});
    EXPECT_EQ(got.exit, Exit::kOk);
    EXPECT_EQ(got.out, "v\n");
    EXPECT_EQ(run({"get", "k", "--raw"}).out, "v");
    EXPECT_EQ(run({"del", "k"}).exit, Exit::kOk);
    const auto missing = run({"get", "k"});
    EXPECT_EQ(missing.exit, Exit::kNotFound);
    EXPECT_THAT(missing.out, IsEmpty());
    EXPECT_EQ(missing.err, "tanist: get: no key 'k'\n");
    EXPECT_EQ(run({"del", "k"}).exit, Exit::kNotFound);
}

TEST_F(Program, PutReadsStandardInputAndFilesByteForByte) {
    const std::string bytes("\xff\0\n", 3);
    EXPECT_EQ(run({"put", "a", "-"}, bytes).exit, Exit::kOk);
    EXPECT_EQ(cluster_.value("a"), bytes);
    EXPECT_EQ(run({"put", "b", "--file", file(bytes)}).exit, Exit::kOk);
    EXPECT_EQ(cluster_.value("b"), bytes);
    EXPECT_EQ(run({"get", "b", "--raw"}).out, bytes);
    const auto wrong = run({"put", "c", "--file", "/nowhere/at/all"});
    EXPECT_EQ(wrong.exit, Exit::kUsage);
    EXPECT_THAT(wrong.err, HasSubstr("/nowhere/at/all"));
}

TEST_F(Program, ConditionsThatDoNotHoldAreExitCode4) {
    EXPECT_EQ(run({"cas", "k", "one", "--absent"}).exit, Exit::kOk);
    const auto refused = run({"cas", "k", "two", "three"});
    EXPECT_EQ(refused.exit, Exit::kRefused);
    EXPECT_THAT(refused.err, HasSubstr("the key holds 'one'"));
    EXPECT_EQ(run({"cas", "k", "one", "two"}).exit, Exit::kOk);
    EXPECT_EQ(run({"del", "k", "--if-value", "one"}).exit, Exit::kRefused);
    EXPECT_EQ(run({"incr", "k"}).exit, Exit::kRefused);
    EXPECT_EQ(run({"del", "k", "--if-value", "two"}).exit, Exit::kOk);
    const auto batch = run({"batch"}, "if-exists gone\nput a b\n");
    EXPECT_EQ(batch.exit, Exit::kRefused);
    EXPECT_THAT(batch.err, AllOf(HasSubstr("condition 1"), HasSubstr("does not exist")));
}

TEST_F(Program, JsonHasFieldsInPlaceOfWords) {
    const auto put = run({"--json", "put", "k", "v"});
    EXPECT_THAT(put.out, ::testing::MatchesRegex(R"(\{"key":"k","version":[0-9]+,"existed":false,"level":null\}.)"));
    EXPECT_THAT(run({"get", "k", "--json"}).out, ::testing::StartsWith(R"({"key":"k","found":true,"value":"v","version":)"));
    EXPECT_EQ(run({"get", "none", "--json"}).out, "{\"key\":\"none\",\"found\":false,\"value\":null,\"version\":null}\n");
    EXPECT_EQ(run({"get", "none", "--json"}).exit, Exit::kNotFound);
    cluster_.set_value("\xff", "\xfe");
    EXPECT_THAT(run({"get", "\xff", "--json"}).out, ::testing::StartsWith(R"({"key_b64":"/w==","found":true,"value_b64":"/g==")"));
    EXPECT_THAT(run({"incr", "n", "5", "--json"}).out, HasSubstr(R"("value":5)"));
    EXPECT_THAT(run({"cas", "k", "x", "y", "--json"}).out, HasSubstr(R"("done":false,"found":true,"value":"v")"));
    EXPECT_THAT(run({"batch", "--json"}, "get k\nget none\n").out, HasSubstr(R"("results":[{"found":true,"value":"v")"));
    EXPECT_THAT(run({"scan", "k", "--json"}).out, ::testing::StartsWith(R"({"key":"k","value":"v","version":)"));
}

TEST_F(Program, BatchPrintsWhatEachCommandGave) {
    const auto ran = run({"batch", file("put a 1\nincr a 4\nget a\ndel none\n")});
    EXPECT_EQ(ran.exit, Exit::kOk) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("put a\nincr a = 5\nget a = 5\ndel none: no such key\nversion "));
    EXPECT_THAT(run({"batch"}, "frob\n").err, HasSubstr("batch: standard input:1: 'frob'"));
}

TEST_F(Program, ScanGoesOverAllPagesUpToItsLimit) {
    for (int i = 0; i < 2500; ++i) cluster_.set_value("k" + std::to_string(10000 + i), "v\t" + std::to_string(i));
    cluster_.set_value("other", "");
    const auto all = run({"scan", "k"});
    EXPECT_EQ(std::ranges::count(all.out, '\n'), 2500);
    EXPECT_THAT(all.out, ::testing::StartsWith("k10000\tv\\t0\n"));
    EXPECT_EQ(std::ranges::count(run({"scan", "--limit", "3"}).out, '\n'), 3);
    EXPECT_EQ(std::ranges::count(run({"scan", "--limit", "1200"}).out, '\n'), 1200);
    EXPECT_EQ(run({"scan", "o", "--keys-only"}).out, "other\n");
    EXPECT_EQ(run({"scan", "--begin", "k12498", "--end", "other"}).out, "k12498\tv\\t2498\nk12499\tv\\t2499\n");
}

TEST_F(Program, WhatItCannotReachIsExitCode3AndNamesTheNodes) {
    std::string gone;
    {
        FakeCluster cluster(1);
        gone = cluster.node(1).address();
    }
    const auto ran = run_words({"--connect", gone, "get", "k"});
    EXPECT_EQ(ran.exit, Exit::kUnavailable);
    EXPECT_THAT(ran.err, AllOf(::testing::StartsWith("tanist: "), HasSubstr(gone), HasSubstr("refused")));
    cluster_.promote(0);
    const auto write = run({"--timeout", "300ms", "put", "k", "v"});
    EXPECT_EQ(write.exit, Exit::kUnavailable);
    EXPECT_THAT(write.err, AllOf(HasSubstr("knows no master"), HasSubstr(cluster_.node(1).address())));
}

TEST_F(Program, AnUnknownOutcomeIsExitCode5) {
    on_master<native::Put>(Silent{});
    const auto ran = run({"--timeout", "300ms", "put", "k", "v"});
    EXPECT_EQ(ran.exit, Exit::kUnknown);
    EXPECT_THAT(ran.err, HasSubstr("outcome unknown"));
}

TEST_F(Program, AReadOnItsOwnIsLinearizableAndSaysWhenItCannotBe) {
    cluster_.set_value("k", "v");
    for (const unsigned id : {1u, 2u, 3u}) {
        cluster_.node(id).script([](const native::Request& request) -> std::optional<Answer> {
            if (request.read_level == native::ReadLevel::kLinearizable) return error_reply(native::Code::kNoQuorum);
            return std::nullopt;
        });
    }
    const auto ran = run({"get", "k"});
    EXPECT_EQ(ran.exit, Exit::kOk);
    EXPECT_EQ(ran.out, "v\n");
    EXPECT_THAT(ran.err, HasSubstr("no master confirms"));
    EXPECT_EQ(run({"get", "k", "--read-level", "linearizable", "--timeout", "300ms"}).exit, Exit::kUnavailable);
    EXPECT_THAT(run({"get", "k", "--read-level", "session"}).err, IsEmpty());
}

TEST_F(Program, DirectAsksOneNodeOnly) {
    const auto ran = run_words({"--connect", cluster_.node(2).address(), "--direct", "put", "k", "v"});
    EXPECT_EQ(ran.exit, Exit::kUnavailable);
    EXPECT_THAT(ran.err, HasSubstr("not the master"));
    EXPECT_THAT(run_words({"--connect", cluster_.node(2).address(), "--direct", "status", "--json"}).out, HasSubstr("\"answered_by\":2"));
}

TEST_F(Program, StatusAsJsonKeepsTheContract) {
    cluster_.set_state(3, native::NodeState::kDown);
    const auto ran = run({"status", "--json"});
    EXPECT_THAT(ran.out,
                ::testing::StartsWith(R"({"cluster":"fake","epoch":1,"master":1,"nodes":[{"id":1,"role":"master","state":"up","client":")" +
                                      cluster_.node(1).address() +
                                      R"(","rank":{"epoch":1,"lsn":1},"commit_lsn":1,"applied_lsn":1,"lag_ms":0,"lag_entries":0)"));
    EXPECT_THAT(ran.out, HasSubstr(R"("state":"down","client":")" + cluster_.node(3).address() +
                                   R"(","rank":null,"commit_lsn":null,"applied_lsn":null,"lag_ms":null,"lag_entries":null)"));
    cluster_.promote(0);
    EXPECT_THAT(run({"status", "--json"}).out, HasSubstr("\"master\":null"));
}

TEST_F(Program, SwitchoverSaysWhoIsMasterNow) {
    on_master<native::Switchover>(native::Reply{.epoch = {7}, .body = native::SwitchoverReply{{3}}});
    const auto ran = run({"switchover", "--to", "3", "--json"});
    EXPECT_EQ(ran.exit, Exit::kOk) << ran.err;
    EXPECT_EQ(ran.out, "{\"master\":3,\"epoch\":7}\n");
    EXPECT_EQ(run({"switchover"}).out, "node 3 is master, epoch 7\n");
    on_master<native::Switchover>(error_reply(native::Code::kNotPossible, "node 3 is catching up"));
    const auto refused = run({"switchover"});
    EXPECT_EQ(refused.exit, Exit::kUnavailable);
    EXPECT_THAT(refused.err, HasSubstr("node 3 is catching up"));
    EXPECT_EQ(run({"switchover", "--to", "three"}).exit, Exit::kUsage);
}

TEST_F(Program, ErrorsAreJsonWhereJsonIsAskedFor) {
    on_master<native::Switchover>(error_reply(native::Code::kNotPossible, "node 3 is \"catching up\""));
    const auto refused = run({"switchover", "--json"});
    EXPECT_EQ(refused.exit, Exit::kUnavailable);
    EXPECT_THAT(refused.out, IsEmpty());
    EXPECT_THAT(refused.err, AllOf(HasSubstr(R"({"error":{"code":"unavailable","exit":3,"message":"switchover)"),
                                   HasSubstr(R"(node 3 is \"catching up\""}})")));
    const auto misused = run_words({"--json", "get"});
    EXPECT_EQ(misused.exit, Exit::kUsage);
    EXPECT_THAT(misused.err, HasSubstr(R"({"error":{"code":"usage","exit":2,"message":")"));
    const auto script = run({"--json"}, "get\n");
    EXPECT_EQ(script.exit, Exit::kUsage);
    EXPECT_THAT(script.err, HasSubstr(R"({"error":{"code":"usage","exit":2,"message":"line 1: )"));
}

class WithUsers : public Program {
protected:
    void SetUp() override {
        Program::SetUp();
        ::unsetenv("TANIST_USER");
        ::unsetenv("TANIST_PASSWORD");
        for (const unsigned id : {1u, 2u, 3u}) {
            cluster_.node(id).script([](const native::Request& request) -> std::optional<Answer> {
                const auto* hello = std::get_if<native::Hello>(&request.body);
                if (hello == nullptr || (hello->user == "bob" && hello->password == "pw")) return std::nullopt;
                return error_reply(native::Code::kUnauthenticated, "no such user, or another password");
            });
        }
    }
    void TearDown() override {
        ::unsetenv("TANIST_USER");
        ::unsetenv("TANIST_PASSWORD");
        Program::TearDown();
    }
};

TEST_F(WithUsers, APasswordComesFromAFileOrTheEnvironmentOrTheTerminal) {
    const auto refused = run({"put", "k", "v"});
    EXPECT_EQ(refused.exit, Exit::kUsage);
    EXPECT_THAT(refused.err, HasSubstr("no such user, or another password"));
    EXPECT_EQ(run({"--user", "bob", "--password-file", file("pw\nmore"), "put", "k", "v"}).exit, Exit::kOk);
    const auto missing = run({"--user", "bob", "--password-file", "/nowhere", "get", "k"});
    EXPECT_EQ(missing.exit, Exit::kUsage);
    EXPECT_THAT(missing.err, HasSubstr("/nowhere"));
    ::setenv("TANIST_USER", "bob", 1);
    ::setenv("TANIST_PASSWORD", "pw", 1);
    EXPECT_EQ(run({"get", "k"}).out, "v\n");
    ::setenv("TANIST_PASSWORD", "wrong", 1);
    EXPECT_EQ(run({"get", "k"}).exit, Exit::kUsage);
    ::unsetenv("TANIST_PASSWORD");

    std::istringstream in;
    std::ostringstream out, err;
    std::string asked_for;
    const auto ask = [&](const std::string& user) -> std::optional<std::string> {
        asked_for = user;
        return "pw";
    };
    const Exit exit =
        run_program({"--connect", cluster_.addresses().front(), "get", "k"}, {.in = in, .out = out, .err = err, .ask_password = ask});
    EXPECT_EQ(exit, Exit::kOk) << err.str();
    EXPECT_EQ(out.str(), "v\n");
    EXPECT_EQ(asked_for, "bob");
}

TEST(Status, TheTableAlignsAndExplains) {
    client::ClusterStatus status{.cluster = "demo", .epoch = 4, .master = 2, .answered_by = 2};
    status.nodes.push_back({.id = 1,
                            .role = client::Role::kSlave,
                            .state = client::NodeState::kInDoubt,
                            .why = "entries 7 to 9 are being asked for",
                            .client = "10.0.0.1:7401"});
    status.nodes.push_back({.id = 2,
                            .role = client::Role::kMaster,
                            .state = client::NodeState::kUp,
                            .client = "h:1",
                            .rank_epoch = 4,
                            .rank_lsn = 120,
                            .commit_lsn = 120,
                            .applied_lsn = 119,
                            .lag_ms = 0,
                            .lag_entries = 0});
    EXPECT_EQ(status_table(status),
              "cluster demo · epoch 4 · master 2 · as node 2 sees it\n"
              "NODE  ROLE    STATE     CLIENT          RANK  COMMIT  APPLIED   LAG  ENTRIES\n"
              "   1  slave   in_doubt  10.0.0.1:7401      -       -        -     -        -\n"
              "   2  master  up        h:1            4/120     120      119  0 ms        0\n"
              "node 1: entries 7 to 9 are being asked for\n");
}

TEST_F(Program, ExportAndImportRoundTripAnyBytes) {
    for (int c = 0; c < 256; ++c) cluster_.set_value(std::string("k") + static_cast<char>(c), std::string(3, static_cast<char>(c)));
    for (int i = 0; i < 3000; ++i) cluster_.set_value("many" + std::to_string(i), std::string(static_cast<std::size_t>(i % 200), 'x'));
    for (const auto* format : {"jsonl", "tsv"}) {
        const auto exported = run({"export", "--format", format});
        ASSERT_EQ(exported.exit, Exit::kOk) << exported.err;
        FakeCluster other;
        const auto imported = run_words({"--connect", other.node(2).address(), "import", file(exported.out), "--format", format});
        ASSERT_EQ(imported.exit, Exit::kOk) << imported.err;
        EXPECT_THAT(imported.err, HasSubstr("3256 records written"));
        EXPECT_EQ(other.size(), cluster_.size());
        for (int c = 0; c < 256; ++c) EXPECT_EQ(other.value(std::string("k") + static_cast<char>(c)), std::string(3, static_cast<char>(c)));
        EXPECT_EQ(run_words({"--connect", other.node(1).address(), "export", "--format", format}).out, exported.out);
    }
    EXPECT_EQ(std::ranges::count(run({"export", "--prefix", "many29"}).out, '\n'), 111);
}

TEST_F(Program, OfTwoRecordsWithOneKeyTheLaterWins) {
    std::string lines;
    for (int i = 0; i < 2000; ++i) lines += "same\t" + std::to_string(i) + "\nkey" + std::to_string(i) + "\t\n";
    ASSERT_EQ(run({"import", "-", "--format", "tsv"}, lines).exit, Exit::kOk);
    EXPECT_EQ(cluster_.value("same"), "1999");
}

TEST_F(Program, ABadLineEndsTheImportUnlessItIsToBeSkipped) {
    const std::string lines = "{\"key\":\"a\",\"value\":\"1\"}\nbroken\n\n{\"key\":\"b\",\"value\":\"2\"}\n";
    const auto stopped = run({"import", "-"}, lines);
    EXPECT_EQ(stopped.exit, Exit::kUsage);
    EXPECT_THAT(stopped.err, AllOf(HasSubstr("standard input:2: "), HasSubstr("allowed is {\"key\""), HasSubstr("1 records written"),
                                   HasSubstr("--skip-bad")));
    EXPECT_EQ(cluster_.value("a"), "1");
    EXPECT_EQ(cluster_.value("b"), std::nullopt);
    const auto skipped = run({"import", "-", "--skip-bad", "--json", "--prefix", "p/"}, lines);
    EXPECT_EQ(skipped.exit, Exit::kOk);
    EXPECT_EQ(skipped.out, "{\"imported\":2,\"skipped\":1}\n");
    EXPECT_THAT(skipped.err, HasSubstr("standard input:2: "));
    EXPECT_EQ(cluster_.value("p/b"), "2");
    EXPECT_EQ(run({"import", "/nowhere/at/all"}).exit, Exit::kUsage);
}

TEST_F(Program, AnImportThatFailsSaysForWhichLines) {
    on_master<native::Batch>(error_reply(native::Code::kTooLarge, "values of more than 10 bytes"));
    const auto ran = run({"import", "-", "--format", "tsv"}, "a\t1\nb\t2\n");
    EXPECT_EQ(ran.exit, Exit::kUsage);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("lines 1 to 2"), HasSubstr("values of more than 10 bytes"), HasSubstr("0 records written")));
}

TEST_F(Program, WithoutACommandStandardInputIsAScript) {
    const auto ran = run({}, "# a comment\nput k 'a b'\nget k\n\nget --json k\nget none\nincr n\n");
    EXPECT_EQ(ran.exit, Exit::kOk);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("a b\n"), HasSubstr("\"value\":\"a b\""), ::testing::EndsWith("1\n")));
    EXPECT_THAT(ran.err, HasSubstr("no key 'none'"));
    const auto stopped = run({}, "put k v\nfrob\nput k w\n");
    EXPECT_EQ(stopped.exit, Exit::kUsage);
    EXPECT_THAT(stopped.err, HasSubstr("line 2: unknown command 'frob'"));
    EXPECT_EQ(cluster_.value("k"), "v");
    EXPECT_EQ(run({}, "get none\n").exit, Exit::kNotFound);
    EXPECT_EQ(run({}, "get --connect a:1 k\n").exit, Exit::kUsage);
}

TEST(Progress, FitsALine) {
    EXPECT_EQ(progress_line("import", 1234, 5'000'000, 10'000'000, 2.0),
              "import [##########..........]  50% 1234 records, 5.0 MB, 2.5 MB/s, 2 s left");
    EXPECT_EQ(progress_line("export", 7, 999, std::nullopt, 0.0), "export 7 records, 999 B, 0 B/s");
    EXPECT_LE(progress_line("import", 123'456'789, 999'900'000'000, 1'999'900'000'000, 9999).size(), 90u);
}

}  // namespace
}  // namespace tanist::cli
