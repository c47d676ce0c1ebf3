// SPDX-License-Identifier: Apache-2.0
// Strings: whole values and parts of them.
#include "commands/redis/expiry_options.h"
#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

Reply bulk_or_nil(const Keyspace::Row& row) { return row.exists ? Reply::bulk(row.value.bytes()) : Reply::nil(); }

Reply set_with_time_to_live(Call& call, TimeUnit unit) {
    const auto deadline = read_deadline(call, {.word = call.words[2], .unit = unit});
    if (!deadline) return deadline.error();
    put(call, call.key(), Value::borrowed(call.words[3]), *deadline);
    return Reply::ok();
}

Reply set_pairs(Call& call) {
    for (std::size_t i = 1; i < call.words.size(); i += 2) put(call, call.words[i], Value::borrowed(call.words[i + 1]), 0);
    return Reply::ok();
}

std::optional<Reply> refuse_odd_pairs(const Call& call) {
    if (call.words.size() % 2 == 1) return std::nullopt;
    return Reply::error("ERR wrong number of arguments for '" + lower(call.words[0]) + "' command");
}

}  // namespace

Reply get(Call& call) { return bulk_or_nil(call.keys.find(call.key())); }

Reply set(Call& call) {
    const auto options = read_set_options(call);
    if (!options) return options.error();
    std::uint64_t deadline = 0;
    if (options->time) {
        const auto read = read_deadline(call, *options->time);
        if (!read) return read.error();
        deadline = *read;
    }
    const Keyspace::Row& row = call.keys.find(call.key());
    Reply before = options->get ? bulk_or_nil(row) : Reply::nil();
    if ((options->if_absent && row.exists) || (options->if_present && !row.exists)) return before;
    if (options->keep_deadline) deadline = row.deadline;
    put(call, call.key(), Value::borrowed(call.words[2]), deadline);
    return options->get ? before : Reply::ok();
}

Reply setnx(Call& call) {
    if (call.keys.exists(call.key())) return Reply::number(std::int64_t{0});
    put(call, call.key(), Value::borrowed(call.words[2]), 0);
    return Reply::number(std::int64_t{1});
}

Reply setex(Call& call) { return set_with_time_to_live(call, TimeUnit::kSeconds); }
Reply psetex(Call& call) { return set_with_time_to_live(call, TimeUnit::kMilliseconds); }

Reply getset(Call& call) {
    Reply before = bulk_or_nil(call.keys.find(call.key()));
    put(call, call.key(), Value::borrowed(call.words[2]), 0);
    return before;
}

Reply getdel(Call& call) {
    const Keyspace::Row& row = call.keys.find(call.key());
    Reply before = bulk_or_nil(row);
    if (row.exists) static_cast<void>(call.keys.erase(call.key()));
    return before;
}

Reply getex(Call& call) {
    const auto options = read_getex_options(call);
    if (!options) return options.error();
    const Keyspace::Row& row = call.keys.find(call.key());
    if (!row.exists) return Reply::nil();
    std::uint64_t deadline = row.deadline;
    if (options->time) {
        const auto read = read_deadline(call, *options->time);
        if (!read) return read.error();
        deadline = *read;
    } else if (options->persist) {
        deadline = 0;
    }
    Reply value = Reply::bulk(row.value.bytes());
    const bool sets_anew = options->time || deadline != row.deadline;
    if (sets_anew) put(call, call.key(), Value::owned(value.text), deadline);
    return value;
}

Reply mget(Call& call) {
    std::vector<Reply> values;
    values.reserve(call.words.size() - 1);
    std::size_t bytes = 0;
    for (const std::string_view key : call.words.subspan(1)) {
        values.push_back(bulk_or_nil(call.keys.find(key)));
        bytes += values.back().bytes();
        if (bytes > call.reply_bytes_max) return Reply::error(kReplyTooLarge);
    }
    return Reply::array(std::move(values));
}

Reply mset(Call& call) {
    if (auto refused = refuse_odd_pairs(call)) return *refused;
    return set_pairs(call);
}

Reply msetnx(Call& call) {
    if (auto refused = refuse_odd_pairs(call)) return *refused;
    for (std::size_t i = 1; i < call.words.size(); i += 2) {
        if (call.keys.exists(call.words[i])) return Reply::number(std::int64_t{0});
    }
    set_pairs(call);
    return Reply::number(std::int64_t{1});
}

Reply append(Call& call) {
    const Keyspace::Row& row = call.keys.find(call.key());
    const std::string_view before = row.exists ? row.value.bytes() : std::string_view();
    if (!fits(before.size() + call.words[2].size())) return Reply::error(kTooLong);
    std::string after;
    after.reserve(before.size() + call.words[2].size());
    after.append(before).append(call.words[2]);
    const std::size_t bytes = after.size();
    put(call, call.key(), Value::owned(std::move(after)), row.deadline);
    return Reply::number(bytes);
}

Reply strlen(Call& call) {
    const Keyspace::Row& row = call.keys.find(call.key());
    return Reply::number(row.exists ? row.value.bytes().size() : 0);
}

Reply getrange(Call& call) {
    const auto first = integer(call.words[2]);
    if (!first) return first.error();
    const auto last = integer(call.words[3]);
    if (!last) return last.error();
    const Keyspace::Row& row = call.keys.find(call.key());
    if (!row.exists) return Reply::bulk("");
    const std::string_view value = row.value.bytes();
    const auto bytes = static_cast<std::int64_t>(value.size());
    if (*first < 0 && *last < 0 && *first > *last) return Reply::bulk("");
    const std::int64_t from = std::max<std::int64_t>(0, *first < 0 ? bytes + *first : *first);
    const std::int64_t through = std::min(bytes - 1, std::max<std::int64_t>(0, *last < 0 ? bytes + *last : *last));
    if (from > through || bytes == 0) return Reply::bulk("");
    return Reply::bulk(value.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(through - from + 1)));
}

Reply setrange(Call& call) {
    const auto offset = integer(call.words[2]);
    if (!offset) return offset.error();
    if (*offset < 0) return Reply::error("ERR offset is out of range");
    const std::string_view part = call.words[3];
    const Keyspace::Row& row = call.keys.find(call.key());
    const std::string_view before = row.exists ? row.value.bytes() : std::string_view();
    if (part.empty()) return Reply::number(before.size());
    const std::uint64_t end = static_cast<std::uint64_t>(*offset) + part.size();
    if (!fits(end)) return Reply::error(kTooLong);
    std::string after(before);
    after.resize(std::max<std::size_t>(after.size(), end));
    after.replace(static_cast<std::size_t>(*offset), part.size(), part);
    const std::size_t bytes = after.size();
    put(call, call.key(), Value::owned(std::move(after)), row.deadline);
    return Reply::number(bytes);
}

}  // namespace tanist::commands::redis
