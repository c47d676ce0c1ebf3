// SPDX-License-Identifier: Apache-2.0
#include "cli/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/batch.h"
#include "cli/json.h"
#include "cli/words.h"

namespace tanist::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(Json, StringsAreReadWithAllTheirEscapes) {
    const auto members = read_json_strings(R"( { "a\"\\\/\b\f\n\r\t" : "\u00e9\ud83d\ude00\u0000x" , "b":"" } )");
    ASSERT_TRUE(members) << members.error().message;
    EXPECT_THAT(*members, ElementsAre(Pair("a\"\\/\b\f\n\r\t", std::string("é😀\0x", 8)), Pair("b", "")));
    EXPECT_TRUE(read_json_strings("{}")->empty());
}

TEST(Json, WhatIsNotAnObjectOfStringsIsRefusedWithItsPlace) {
    for (const auto& [text, complaint] : std::vector<std::pair<std::string, std::string>>{
             {"", "byte 1"},
             {"[]", "an object"},
             {R"({"a":1})", "'a' must be a string"},
             {R"({"a":"b",})", "byte 10"},
             {R"({"a":"b"} x)", "nothing may follow"},
             {R"({"a":"b)", "does not end"},
             {R"({"a":"\q"})", "no such escape"},
             {R"({"a":"\ud83d"})", "no such character"},
             {R"({"a":"\ud83d\u0041"})", "surrogate"},
             {R"({"a":"\u12"})", "no such character"},
             {"{\"a\":\"\n\"}", "control character"},
             {"{\"a\":\"\xff\"}", "not UTF-8"},
             {R"({"a" "b"})", "colon"},
         }) {
        const auto members = read_json_strings(text);
        ASSERT_FALSE(members) << text;
        EXPECT_THAT(members.error().message, HasSubstr(complaint)) << text;
    }
}

TEST(Records, AnyBytesSurviveBothFormats) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    for (const Record& record : {Record{"key", "value"}, Record{"", ""}, Record{"tab\there", "line\nend\r"}, Record{"\\x41", "\"quoted\""},
                                 Record{all, all}, Record{"ключ", std::string("\0", 1)}, Record{"\xff", "plain"}}) {
        for (const Format format : {Format::kJsonl, Format::kTsv}) {
            std::string line;
            append_record(line, record.key, record.value, format);
            ASSERT_TRUE(line.ends_with('\n'));
            line.pop_back();
            EXPECT_EQ(line.find('\n'), std::string::npos);
            const auto back = parse_record(line, format);
            ASSERT_TRUE(back) << back.error().message;
            EXPECT_EQ(*back, record);
        }
    }
}

TEST(Records, WhatIsNotUtf8GoesAsBase64) {
    std::string line;
    append_record(line, "\xff", "text", Format::kJsonl);
    EXPECT_EQ(line, "{\"key_b64\":\"/w==\",\"value\":\"text\"}\n");
}

TEST(Records, BadLinesSayWhatIsAllowed) {
    for (const auto* line : {R"({"key":"a"})", R"({"value":"a"})", R"({"key":"a","value":"b","more":"c"})",
                             R"({"key":"a","key_b64":"YQ==","value":""})", R"({"key_b64":"?","value":""})", "key,value"}) {
        const auto record = parse_record(line, Format::kJsonl);
        ASSERT_FALSE(record) << line;
        EXPECT_THAT(record.error().message, HasSubstr("allowed is {\"key\":")) << line;
    }
    for (const auto* line : {"no tab", "a\tb\tc", "a\\q\tb"}) {
        const auto record = parse_record(line, Format::kTsv);
        ASSERT_FALSE(record) << line;
        EXPECT_THAT(record.error().message, HasSubstr("allowed is KEY<TAB>VALUE")) << line;
    }
    EXPECT_FALSE(parse_record(std::string((64 << 10) + 1, 'k') + "\tv", Format::kTsv));
    EXPECT_TRUE(parse_record(std::string(64 << 10, 'k') + "\tv", Format::kTsv));
}

TEST(LineReader, CountsLinesAndBytesAndTakesALastLineWithoutItsEnd) {
    std::istringstream in("one\n\nthree");
    LineReader reader(in);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.line(), "one");
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.line(), "");
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.line(), "three");
    EXPECT_EQ(reader.number(), 3u);
    EXPECT_EQ(reader.bytes_read(), 10u);
    EXPECT_FALSE(reader.next());
}

TEST(Words, AreSeparatedByBlanksAndMayBeQuoted) {
    EXPECT_THAT(*split_words("  put  key\tvalue "), ElementsAre("put", "key", "value"));
    EXPECT_THAT(*split_words(R"(put 'a b\n' "c\td\"" e\ f)"), ElementsAre("put", "a b\\n", "c\td\"", "e f"));
    EXPECT_THAT(*split_words(R"(get \xff\x00 "" x'y'z)"), ElementsAre("get", std::string("\xff\0", 2), "", "xyz"));
    EXPECT_THAT(*split_words("get k#1 # comment"), ElementsAre("get", "k#1"));
    EXPECT_TRUE(split_words("   # nothing")->empty());
    EXPECT_THAT(split_words("put 'a b").error().message, HasSubstr("column 5"));
    EXPECT_THAT(split_words("put \\q").error().message, HasSubstr("column 5"));
    EXPECT_FALSE(split_words("put a\\"));
}

TEST(Batch, LinesBecomeConditionsAndCommands) {
    const auto batch =
        parse_batch("# move\nif-exists a\nif-absent b\nif-value c 'x y'\nif-version d 12\n\nput b 1\ndel a\nincr n -3\nincr m\nget b");
    ASSERT_TRUE(batch) << batch.error().message;
    ASSERT_EQ(batch->conditions.size(), 4u);
    EXPECT_TRUE(std::holds_alternative<client::Absent>(batch->conditions[1].test));
    EXPECT_EQ(std::get<client::ValueIs>(batch->conditions[2].test).bytes, "x y");
    EXPECT_EQ(std::get<client::VersionIs>(batch->conditions[3].test).version, 12u);
    ASSERT_EQ(batch->commands.size(), 5u);
    EXPECT_EQ(std::get<client::Increment>(batch->commands[2]).by, -3);
    EXPECT_EQ(std::get<client::Increment>(batch->commands[3]).by, 1);
}

TEST(Batch, BadLinesSayWhereAndWhatIsAllowed) {
    EXPECT_THAT(parse_batch("put a b\nfrob c").error().message, AllOf(HasSubstr("2: 'frob'"), HasSubstr("if-exists KEY")));
    EXPECT_THAT(parse_batch("put a").error().message, HasSubstr("allowed is put KEY VALUE"));
    EXPECT_THAT(parse_batch("incr a x").error().message, HasSubstr("allowed is incr KEY [BY]"));
    EXPECT_THAT(parse_batch("# only words").error().message, HasSubstr("nothing to do"));
}

}  // namespace
}  // namespace tanist::cli
