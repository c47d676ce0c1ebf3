// SPDX-License-Identifier: Apache-2.0
#include "commands/encoding.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/random.h"
#include "commands/reply.h"
#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Logged> one_of_everything() {
    return {
        Request{.session = {7},
                .sequence = 3,
                .lowest_unanswered = 2,
                .conditions = {KeyExists{"a"}, KeyAbsent{""}, ValueEquals{"b", std::string("\0x", 2)}, VersionEquals{"c", {1ULL << 63}}},
                .commands = {Put{"a", "1"}, Delete{"b"}, Increment{"c", std::numeric_limits<std::int64_t>::min()}, Increment{"c", -1},
                             Get{"d"}}},
        Request{},
        RegisterSession{60'000},
        KeepSession{{1ULL << 44}, 9},
        CloseSession{{5}},
        ChangeUsers{.expected = {300}, .replaces_all = true, .users = {{"a", "user a on"}, {"b", std::nullopt}}},
        ChangeUsers{},
        Request{.commands = {Put{"key", std::string(300, 'v')}}}};
}

std::string encode(const std::vector<Logged>& items) {
    std::string payload;
    for (const auto& item : items) append_to(payload, item);
    return payload;
}

TEST(Encoding, GivesBackWhatWasEncoded) {
    const auto items = one_of_everything();
    EXPECT_EQ(decode_payload(encode(items)).value(), items);
    EXPECT_THAT(decode_payload("").value(), IsEmpty());
}

TEST(Encoding, KnowsItsSizeBeforehand) {
    for (const auto& item : one_of_everything()) EXPECT_EQ(encoded_bytes(item), encode({item}).size());
}

TEST(Encoding, IsTheOneThatOldLogsHave) {  // entries are read for as long as logs and peers of older versions exist
    EXPECT_EQ(encode({Request{
                  .session = {1}, .sequence = 2, .lowest_unanswered = 1, .conditions = {KeyAbsent{"k"}}, .commands = {Put{"k", "v"}}}}),
              std::string("\x0e\x01\x01\x02\x01\x01\x02\x01k\x01\x01\x01k\x01v", 15));
    EXPECT_EQ(encode({Request{.commands = {Increment{"k", -1}}}}), std::string("\x0a\x01\x00\x00\x00\x00\x01\x03\x01k\x01", 11));
    EXPECT_EQ(encode({RegisterSession{300}, KeepSession{{1}, 2}, CloseSession{{3}}}), "\x03\x02\xac\x02\x03\x03\x01\x02\x02\x04\x03");
    EXPECT_EQ(encode({ChangeUsers{.expected = {300}, .users = {{"a", "x"}, {"b", std::nullopt}}}}),
              std::string("\x0d\x05\xac\x02\x00\x02\x00\x01"
                          "a\x01x\x01\x01"
                          "b",
                          14));
}

TEST(Encoding, ARequestOfOneCommandIsTheSameFromWhereItsWordsLie) {
    const std::string key(200, 'k'), value(300, 'v');
    const auto encode_view = [](const CommandView& command) {
        std::string payload = "before";
        append_request(payload, command);
        return payload;
    };
    const auto encode_owned = [](Command command) { return "before" + encode({Request{.commands = {std::move(command)}}}); };
    EXPECT_EQ(encode_view({.kind = CommandKind::kPut, .key = key, .value = value}), encode_owned(Put{key, value}));
    EXPECT_EQ(encode_view({.kind = CommandKind::kPut, .key = "k", .value = ""}), encode_owned(Put{"k", ""}));
    EXPECT_EQ(encode_view({.kind = CommandKind::kDelete, .key = key, .value = {}}), encode_owned(Delete{key}));
    EXPECT_EQ(encode_view({.kind = CommandKind::kIncrement, .key = key, .value = {}, .by = -300}), encode_owned(Increment{key, -300}));
    EXPECT_EQ(encode_view({.kind = CommandKind::kGet, .key = key, .value = {}}), encode_owned(Get{key}));
}

TEST(Encoding, EveryTruncationIsRefusedOrIsWholeItems) {
    const auto items = one_of_everything();
    const std::string payload = encode(items);
    for (std::size_t size = 0; size < payload.size(); ++size) {
        const auto decoded = decode_payload(std::string(payload.substr(0, size)));
        if (!decoded) {
            EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
            continue;
        }
        ASSERT_LE(decoded->size(), items.size());
        for (std::size_t i = 0; i < decoded->size(); ++i) EXPECT_EQ((*decoded)[i], items[i]);
    }
}

TEST(Encoding, BytesLeftInAnItemAreRefused) {
    EXPECT_FALSE(decode_payload(std::string_view("\x03\x04\x05\x00", 4)));
    EXPECT_FALSE(decode_payload(std::string_view("\x00", 1)));
    EXPECT_FALSE(decode_payload(std::string_view("\x02\x09\x05", 3)));  // an unknown kind
}

/// What cannot be decoded changes nothing and ends nothing; what can be is executed like any other (S12).
TEST(Encoding, DamagedPayloadsAreAppliedWithoutACrash) {
    const std::string payload = encode(one_of_everything());
    Random random(1);
    for (int round = 0; round < 4'000; ++round) {
        std::string damaged = payload;
        for (std::uint64_t flips = random.between(1, 3); flips > 0; --flips) {
            const std::uint64_t bit = random.below(8 * damaged.size());
            damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        }
        if (random.chance(1, 4)) damaged.resize(random.below(damaged.size()));
        Machine machine;
        machine.execute({Put{"a", "1"}, Put{"b", std::string("\0x", 2)}});
        const auto outcomes = machine.apply(machine.log.entry(EntryKind::kCommands, damaged));
        const auto decoded = decode_payload(damaged);
        if (decoded) {
            EXPECT_EQ(outcomes.size(), decoded->size());
        } else {
            EXPECT_THAT(outcomes, ElementsAre(Outcome{.code = OutcomeCode::kMalformed}));
            EXPECT_EQ(machine.version("a"), Version{1});
        }
    }
}

TEST(Encoding, RandomBytesAreDecodedWithoutACrash) {
    Random random(2);
    for (int round = 0; round < 30'000; ++round) {
        std::string bytes;
        for (std::uint64_t size = random.below(40); size > 0; --size)
            bytes.push_back(static_cast<char>(random.chance(1, 2) ? random.below(6) : random.next()));
        static_cast<void>(decode_payload(bytes));
        static_cast<void>(decode_outcome(bytes));
    }
}

TEST(Encoding, ACountOfPartsThatTheItemCannotHoldIsRefusedWithoutTakingMemory) {
    std::string item("\x01\x00\x00\x00", 4);
    ByteWriter(item).varint(1ULL << 60);
    std::string payload;
    ByteWriter(payload).string(item);
    EXPECT_FALSE(decode_payload(payload));
}

TEST(Encoding, OutcomesOfAllKindsAreGivenBack) {
    const std::vector<Outcome> outcomes = {
        {.version = {5},
         .results = {{.value = "v", .version = {5}, .found = true},
                     {.value = std::nullopt, .version = {}, .found = false},
                     {.value = "", .version = {1}, .found = false}}},
        {.code = OutcomeCode::kConditionFailed, .failed_condition = 3, .value = "", .version = {4}},
        {.code = OutcomeCode::kConditionFailed},
        {.code = OutcomeCode::kAnswerForgotten, .version = {77}},
    };
    for (const auto& outcome : outcomes) EXPECT_EQ(decode_outcome(encode_outcome(outcome, 1000).value()).value(), outcome);
    EXPECT_EQ(encode_outcome(outcomes[0], 5), std::nullopt);
}

TEST(Limits, ARequestIsCheckedBeforeItIsLogged) {  // S12
    const auto code = [](const Request& request) {
        const auto status = check_limits(request);
        return status ? std::nullopt : std::optional(status.error().code);
    };
    const std::string key(limits::kKeyBytesMax, 'k'), value(limits::kValueBytesMax, 'v');
    EXPECT_EQ(code({.commands = {Put{key, value}}}), std::nullopt);
    EXPECT_EQ(code({.commands = {Put{key + "k", ""}}}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code({.commands = {Get{key + "k"}}}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code({.conditions = {KeyExists{key + "k"}}}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code({.commands = {Put{"k", value + "v"}}}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code({.conditions = {ValueEquals{"k", value + "v"}}}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code({.commands = {Put{"a", value}, Put{"b", value}}}), ErrorCode::kInvalidArgument);  // each fits, both do not
    EXPECT_EQ(code({.commands = std::vector<Command>(kPartsPerRequestMax, Get{"k"})}), std::nullopt);
    EXPECT_EQ(code({.commands = std::vector<Command>(kPartsPerRequestMax + 1, Get{"k"})}), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tanist::commands
