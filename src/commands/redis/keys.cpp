// SPDX-License-Identifier: Apache-2.0
// Keys whatever they hold: DEL EXISTS TYPE RENAME COPY FLUSHALL, and what OBJECT and MEMORY tell of them.
#include <array>

#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

Reply move(Call& call, std::string_view to) {
    const Keyspace::Row row = call.keys.find(call.key());
    if (call.key() == to) return Reply::ok();
    erase(call, call.key());
    put(call, to, row.value, row.deadline);
    return Reply::ok();
}

struct CopyOptions {
    bool replaces = false;
};

Parsed<CopyOptions> read_copy_options(const Call& call) {
    CopyOptions options;
    for (std::size_t i = 3; i < call.words.size(); ++i) {
        if (is(call.words[i], "REPLACE")) {
            options.replaces = true;
        } else if (is(call.words[i], "DB") && i + 1 < call.words.size()) {
            const auto number = integer(call.words[++i]);
            if (!number) return tl::unexpected<Reply>(number.error());
            if (*number != 0) return refuse("ERR DB index is out of range");  // there is one
        } else {
            return refuse(kSyntaxError);
        }
    }
    return options;
}

constexpr std::array<std::string_view, 15> kObjectHelp = {
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Prints this help.",
};

Reply help(std::span<const std::string_view> lines) {
    std::vector<Reply> replies;
    for (const std::string_view line : lines) replies.push_back(Reply::status(line));
    return Reply::array(std::move(replies));
}

/// What Redis would call a value that was set whole.
std::string_view encoding_of(std::string_view value) {
    constexpr std::size_t kIntegerBytesMax = 20, kEmbeddedBytesMax = 44;
    if (value.size() <= kIntegerBytesMax && parse_integer(value)) return "int";
    return value.size() <= kEmbeddedBytesMax ? "embstr" : "raw";
}

}  // namespace

Reply del(Call& call) {
    std::int64_t count = 0;
    for (const std::string_view key : call.words.subspan(1)) count += erase(call, key) ? 1 : 0;
    return Reply::number(count);
}

Reply exists(Call& call) {
    std::int64_t count = 0;
    for (const std::string_view key : call.words.subspan(1)) count += call.keys.exists(key) ? 1 : 0;
    return Reply::number(count);
}

Reply type(Call& call) { return Reply::status(call.keys.exists(call.key()) ? "string" : "none"); }

Reply rename(Call& call) {
    if (!call.keys.exists(call.key())) return Reply::error(kNoSuchKey);
    return move(call, call.words[2]);
}

Reply renamenx(Call& call) {
    if (!call.keys.exists(call.key())) return Reply::error(kNoSuchKey);
    if (call.keys.exists(call.words[2])) return Reply::number(std::int64_t{0});
    static_cast<void>(move(call, call.words[2]));
    return Reply::number(std::int64_t{1});
}

Reply copy(Call& call) {
    const auto options = read_copy_options(call);
    if (!options) return options.error();
    if (call.key() == call.words[2]) return Reply::error("ERR source and destination objects are the same");
    const Keyspace::Row row = call.keys.find(call.key());
    if (!row.exists) return Reply::number(std::int64_t{0});
    if (!options->replaces && call.keys.exists(call.words[2])) return Reply::number(std::int64_t{0});
    put(call, call.words[2], row.value, row.deadline);
    return Reply::number(std::int64_t{1});
}

/// ASYNC and SYNC are the same here: what goes is one range of the store.
Reply flush(Call& call) {
    if (call.words.size() > 2) return Reply::error(kSyntaxError);
    if (call.words.size() == 2 && !is(call.words[1], "ASYNC") && !is(call.words[1], "SYNC")) return Reply::error(kSyntaxError);
    call.keys.erase_all();
    return Reply::ok();
}

/// Whether there is such a subcommand, and what it takes, the server has seen to; what else is logged is answered an error.
Reply object(Call& call) {
    if (is(call.words[1], "HELP") && call.words.size() == 2) return help(kObjectHelp);
    if (call.words.size() != 3) return Reply::error(kSyntaxError);
    const Keyspace::Row& row = call.keys.find(call.words[2]);
    const auto if_exists = [&](const Reply& reply) { return row.exists ? reply : Reply::nil(); };
    if (is(call.words[1], "ENCODING")) return row.exists ? Reply::bulk(encoding_of(row.value.bytes())) : Reply::nil();
    if (is(call.words[1], "REFCOUNT")) return if_exists(Reply::number(std::int64_t{1}));
    if (is(call.words[1], "IDLETIME")) return if_exists(Reply::number(std::int64_t{0}));
    if (is(call.words[1], "FREQ")) {
        return if_exists(
            Reply::error("ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
                         "switching between policies at runtime LRU and LFU data will take some time to adjust."));
    }
    return Reply::error(kSyntaxError);
}

/// Of one key: bytes of key and value, and of what the store keeps beside them.
Reply memory(Call& call) {
    constexpr std::size_t kRowBytes = 48;
    if (!is(call.words[1], "USAGE") || call.words.size() < 3) return Reply::error(kSyntaxError);
    for (std::size_t i = 3; i < call.words.size(); i += 2) {
        if (!is(call.words[i], "SAMPLES") || i + 1 == call.words.size()) return Reply::error(kSyntaxError);
        const auto samples = integer(call.words[i + 1]);
        if (!samples) return samples.error();
        if (*samples < 0) return Reply::error(kSyntaxError);
    }
    const Keyspace::Row& row = call.keys.find(call.words[2]);
    if (!row.exists) return Reply::nil();
    return Reply::number(call.words[2].size() + row.value.bytes().size() + kRowBytes);
}

}  // namespace tanist::commands::redis
