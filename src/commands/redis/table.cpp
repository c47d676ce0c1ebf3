// SPDX-License-Identifier: Apache-2.0
#include "commands/redis/table.h"

#include <array>
#include <unordered_map>

#include "base/ensure.h"
#include "commands/families.h"
#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

constexpr Row::Keys kNoKey{}, kOneKey{1, 1, 1}, kTwoKeys{1, 2, 1}, kAllKeys{1, -1, 1}, kPairs{1, -1, 2};
constexpr auto kStrings = Family::kStrings, kBits = Family::kBits, kKeys = Family::kKeys;

constexpr std::array kTable = {
    Row{"GET", 2, kOneKey, kReads | kFast, kStrings, get},
    Row{"SET", -3, kOneKey, kWrites | kGrows, kStrings, set},
    Row{"SETNX", 3, kOneKey, kWrites | kGrows | kFast, kStrings, setnx},
    Row{"SETEX", 4, kOneKey, kWrites | kGrows, kStrings, setex},
    Row{"PSETEX", 4, kOneKey, kWrites | kGrows, kStrings, psetex},
    Row{"GETSET", 3, kOneKey, kWrites | kGrows | kFast | kTells, kStrings, getset},
    Row{"GETDEL", 2, kOneKey, kWrites | kFast | kTells, kStrings, getdel},
    Row{"GETEX", -2, kOneKey, kWrites | kFast | kTells, kStrings, getex},
    Row{"MGET", -2, kAllKeys, kReads | kFast, kStrings, mget},
    Row{"MSET", -3, kPairs, kWrites | kGrows, kStrings, mset},
    Row{"MSETNX", -3, kPairs, kWrites | kGrows, kStrings, msetnx},
    Row{"APPEND", 3, kOneKey, kWrites | kGrows | kFast, kStrings, append},
    Row{"STRLEN", 2, kOneKey, kReads | kFast, kStrings, strlen},
    Row{"GETRANGE", 4, kOneKey, kReads, kStrings, getrange},
    Row{"SUBSTR", 4, kOneKey, kReads, kStrings, getrange},
    Row{"SETRANGE", 4, kOneKey, kWrites | kGrows, kStrings, setrange},
    Row{"LCS", -3, kTwoKeys, kReads, kStrings, lcs},
    Row{"INCR", 2, kOneKey, kWrites | kGrows | kFast, kStrings, incr},
    Row{"DECR", 2, kOneKey, kWrites | kGrows | kFast, kStrings, decr},
    Row{"INCRBY", 3, kOneKey, kWrites | kGrows | kFast, kStrings, incrby},
    Row{"DECRBY", 3, kOneKey, kWrites | kGrows | kFast, kStrings, decrby},
    Row{"INCRBYFLOAT", 3, kOneKey, kWrites | kGrows | kFast, kStrings, incrbyfloat},
    Row{"GETBIT", 3, kOneKey, kReads | kFast, kBits, getbit},
    Row{"SETBIT", 4, kOneKey, kWrites | kGrows, kBits, setbit},
    Row{"BITCOUNT", -2, kOneKey, kReads, kBits, bitcount},
    Row{"BITPOS", -3, kOneKey, kReads, kBits, bitpos},
    Row{"BITOP", -4, {2, -1, 1}, kWrites | kGrows, kBits, bitop},
    Row{"BITFIELD", -2, kOneKey, kWrites | kGrows, kBits, bitfield},
    Row{"BITFIELD_RO", -2, kOneKey, kReads | kFast, kBits, bitfield_ro},
    Row{"DEL", -2, kAllKeys, kWrites, kKeys, del},
    Row{"UNLINK", -2, kAllKeys, kWrites | kFast, kKeys, del},
    Row{"EXISTS", -2, kAllKeys, kReads | kFast, kKeys, exists},
    Row{"TOUCH", -2, kAllKeys, kReads | kFast, kKeys, exists},
    Row{"TYPE", 2, kOneKey, kReads | kFast, kKeys, type},
    Row{"RENAME", 3, kTwoKeys, kWrites, kKeys, rename},
    Row{"RENAMENX", 3, kTwoKeys, kWrites | kFast, kKeys, renamenx},
    Row{"COPY", -3, kTwoKeys, kWrites | kGrows, kKeys, copy},
    Row{"KEYS", 2, kNoKey, kReads | kScans, kKeys, keys},
    Row{"SCAN", -2, kNoKey, kReads | kScans, kKeys, scan},
    Row{"RANDOMKEY", 1, kNoKey, kReads | kScans, kKeys, randomkey},
    Row{"DBSIZE", 1, kNoKey, kReads | kScans | kFast, kKeys, dbsize},
    Row{"FLUSHDB", -1, kNoKey, kWrites, kKeys, flush},
    Row{"FLUSHALL", -1, kNoKey, kWrites, kKeys, flush},
    Row{"OBJECT", -2, {2, 2, 1}, kReads, kKeys, object},
    Row{"MEMORY", -2, {2, 2, 1}, kReads, kKeys, memory},
    Row{"EXPIRE", -3, kOneKey, kWrites | kFast, kKeys, expire},
    Row{"PEXPIRE", -3, kOneKey, kWrites | kFast, kKeys, pexpire},
    Row{"EXPIREAT", -3, kOneKey, kWrites | kFast, kKeys, expireat},
    Row{"PEXPIREAT", -3, kOneKey, kWrites | kFast, kKeys, pexpireat},
    Row{"TTL", 2, kOneKey, kReads | kFast, kKeys, ttl},
    Row{"PTTL", 2, kOneKey, kReads | kFast, kKeys, pttl},
    Row{"EXPIRETIME", 2, kOneKey, kReads | kFast, kKeys, expiretime},
    Row{"PEXPIRETIME", 2, kOneKey, kReads | kFast, kKeys, pexpiretime},
    Row{"PERSIST", 2, kOneKey, kWrites | kFast, kKeys, persist},
};

}  // namespace

std::span<const Row> table() { return kTable; }

const Row* find(std::string_view name) {
    static const auto by_name = [] {
        std::unordered_map<std::string_view, const Row*> rows;
        for (const Row& row : kTable) ENSURE(rows.emplace(row.name, &row).second);  // no name twice
        return rows;
    }();
    const auto row = by_name.find(name);
    return row == by_name.end() ? nullptr : row->second;
}

Reply run(Call& call) {
    const Row* row = call.words.empty() ? nullptr : find(call.words[0]);
    if (row == nullptr) return Reply::error("ERR unknown command");
    if (!row->takes(call.words.size())) {
        return Reply::error("ERR wrong number of arguments for '" + lower(row->name) + "' command");
    }
    if (call.is_local && row->has(kWrites)) return Reply::error("ERR a command that writes cannot be answered from the state alone");
    const auto looked_up = call.keys.lookups();
    Reply reply = row->run(call);
    if (row->has(kReads) || row->has(kTells)) call.keys.count_told(looked_up);
    return reply;
}

}  // namespace tanist::commands::redis

namespace tanist::commands {

OutcomeCode run_redis(std::span<const std::string_view> words, Keyspace& keys, Answers& answers) {
    redis::Call call{.words = words,
                     .keys = keys,
                     .clock = keys.now(),
                     .random = keys.lsn().value * 0x9e3779b97f4a7c15ULL,
                     .reply_bytes_max = answers.bytes_left()};
    Reply reply = redis::run(call);
    if (keys.ran_over()) return OutcomeCode::kTooMany;
    return answers.add(std::move(reply), keys.lsn());
}

}  // namespace tanist::commands
