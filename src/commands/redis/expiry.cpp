// SPDX-License-Identifier: Apache-2.0
// Deadlines: setting, telling and taking them off. Relative times become absolute here, by log time, the same on every node (S22).
#include <array>
#include <limits>

#include "commands/redis/expiry_options.h"
#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max(), kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMillisecondsPerSecond = 1000;

struct TimeOption {
    std::string_view name;
    TimeUnit unit;
    bool is_absolute;
};
constexpr std::array kTimeOptions = {
    TimeOption{"EX", TimeUnit::kSeconds, false},
    TimeOption{"PX", TimeUnit::kMilliseconds, false},
    TimeOption{"EXAT", TimeUnit::kSeconds, true},
    TimeOption{"PXAT", TimeUnit::kMilliseconds, true},
};

/// Takes a time option; false: `word` is none, or not together with what was said before.
bool take_time(SetOptions& options, std::string_view word, std::string_view next) {
    for (const TimeOption& option : kTimeOptions) {
        if (!is(word, option.name)) continue;
        const bool says_another = options.time && (options.time->unit != option.unit || options.time->is_absolute != option.is_absolute);
        if (options.keep_deadline || options.persist || says_another) return false;
        options.time = TimeWords{next, option.unit, option.is_absolute};
        return true;
    }
    return false;
}

bool take_flag_of_set(SetOptions& options, std::string_view word) {
    if (is(word, "NX") && !options.if_present) return options.if_absent = true;
    if (is(word, "XX") && !options.if_absent) return options.if_present = true;
    if (is(word, "GET")) return options.get = true;
    if (is(word, "KEEPTTL") && !options.time) return options.keep_deadline = true;
    return false;
}

bool take_flag_of_getex(SetOptions& options, std::string_view word) {
    if (is(word, "PERSIST") && !options.time) return options.persist = true;
    return false;
}

Parsed<SetOptions> read_options(const Call& call, std::size_t from, bool (*take_flag)(SetOptions&, std::string_view)) {
    SetOptions options;
    for (std::size_t i = from; i < call.words.size(); ++i) {
        if (take_flag(options, call.words[i])) continue;
        if (i + 1 == call.words.size() || !take_time(options, call.words[i], call.words[i + 1])) return refuse(kSyntaxError);
        ++i;
    }
    return options;
}

struct ExpireOptions {
    bool if_none = false, if_any = false, if_later = false, if_earlier = false;
};

Parsed<ExpireOptions> read_expire_options(const Call& call) {
    ExpireOptions options;
    for (const std::string_view word : call.words.subspan(3)) {
        if (is(word, "NX")) {
            options.if_none = true;
        } else if (is(word, "XX")) {
            options.if_any = true;
        } else if (is(word, "GT")) {
            options.if_later = true;
        } else if (is(word, "LT")) {
            options.if_earlier = true;
        } else {
            return refuse("ERR Unsupported option " + std::string(word.substr(0, word.find('\0'))));
        }
    }
    if (options.if_none && (options.if_any || options.if_later || options.if_earlier)) {
        return refuse("ERR NX and XX, GT or LT options at the same time are not compatible");
    }
    if (options.if_later && options.if_earlier) return refuse("ERR GT and LT options at the same time are not compatible");
    return options;
}

/// Whether the options let `when` take the place of `before`, 0: none, which counts as later than any.
bool allows(const ExpireOptions& options, std::int64_t when, std::uint64_t before) {
    const bool has_deadline = before != 0;
    const auto current = static_cast<std::int64_t>(before);
    if (options.if_none && has_deadline) return false;
    if (options.if_any && !has_deadline) return false;
    if (options.if_later && (!has_deadline || when <= current)) return false;
    return !options.if_earlier || !has_deadline || when < current;
}

Reply set_deadline(Call& call, TimeUnit unit, bool is_absolute) {
    const auto options = read_expire_options(call);
    if (!options) return options.error();
    const auto time = integer(call.words[2]);
    if (!time) return time.error();
    std::int64_t when = *time;
    if (unit == TimeUnit::kSeconds) {
        if (when > kMax / kMillisecondsPerSecond || when < kMin / kMillisecondsPerSecond) return invalid_expire_time(call);
        when *= kMillisecondsPerSecond;
    }
    const std::int64_t base = is_absolute ? 0 : static_cast<std::int64_t>(call.now());
    if (when > kMax - base) return invalid_expire_time(call);
    when += base;
    const Keyspace::Row& row = call.keys.find(call.key());
    if (!row.exists || !allows(*options, when, row.deadline)) return Reply::number(std::int64_t{0});
    if (when <= static_cast<std::int64_t>(call.now())) {
        erase(call, call.key());
    } else {
        put(call, call.key(), Value(row.value), static_cast<std::uint64_t>(when));
    }
    return Reply::number(std::int64_t{1});
}

Reply tell_deadline(Call& call, TimeUnit unit, bool is_absolute) {
    const Keyspace::Row& row = call.keys.find(call.key());
    if (!row.exists) return Reply::number(std::int64_t{-2});
    if (row.deadline == 0) return Reply::number(std::int64_t{-1});
    const std::uint64_t left = row.deadline > call.clock ? row.deadline - call.clock : 0;
    const std::uint64_t time = is_absolute ? row.deadline : left;
    constexpr std::uint64_t kSecond = kMillisecondsPerSecond;
    return Reply::number(static_cast<std::int64_t>(unit == TimeUnit::kSeconds ? (time + kSecond / 2) / kSecond : time));
}

}  // namespace

Parsed<SetOptions> read_set_options(const Call& call) { return read_options(call, 3, take_flag_of_set); }
Parsed<SetOptions> read_getex_options(const Call& call) { return read_options(call, 2, take_flag_of_getex); }

Reply invalid_expire_time(const Call& call) { return Reply::error("ERR invalid expire time in '" + lower(call.words[0]) + "' command"); }

Parsed<std::uint64_t> read_deadline(const Call& call, const TimeWords& time) {
    const auto read = integer(time.word);
    if (!read) return tl::unexpected<Reply>(read.error());
    std::int64_t when = *read;
    if (when <= 0) return tl::unexpected<Reply>(invalid_expire_time(call));
    if (time.unit == TimeUnit::kSeconds) {
        if (when > kMax / kMillisecondsPerSecond) return tl::unexpected<Reply>(invalid_expire_time(call));
        when *= kMillisecondsPerSecond;
    }
    if (!time.is_absolute) {
        const auto now = static_cast<std::int64_t>(call.now());
        if (when > kMax - now) return tl::unexpected<Reply>(invalid_expire_time(call));
        when += now;
    }
    return static_cast<std::uint64_t>(when);
}

Reply expire(Call& call) { return set_deadline(call, TimeUnit::kSeconds, false); }
Reply pexpire(Call& call) { return set_deadline(call, TimeUnit::kMilliseconds, false); }
Reply expireat(Call& call) { return set_deadline(call, TimeUnit::kSeconds, true); }
Reply pexpireat(Call& call) { return set_deadline(call, TimeUnit::kMilliseconds, true); }
Reply ttl(Call& call) { return tell_deadline(call, TimeUnit::kSeconds, false); }
Reply pttl(Call& call) { return tell_deadline(call, TimeUnit::kMilliseconds, false); }
Reply expiretime(Call& call) { return tell_deadline(call, TimeUnit::kSeconds, true); }
Reply pexpiretime(Call& call) { return tell_deadline(call, TimeUnit::kMilliseconds, true); }

Reply persist(Call& call) {
    const Keyspace::Row& row = call.keys.find(call.key());
    if (!row.exists || row.deadline == 0) return Reply::number(std::int64_t{0});
    put(call, call.key(), Value(row.value), 0);
    return Reply::number(std::int64_t{1});
}

}  // namespace tanist::commands::redis
