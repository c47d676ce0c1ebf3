// SPDX-License-Identifier: Apache-2.0
// Commands that look at many keys: KEYS SCAN RANDOMKEY DBSIZE. Keys come in their order; what is looked at, and answered, is bounded.
#include "commands/redis/families.h"
#include "commands/redis/glob.h"

namespace tanist::commands::redis {
namespace {

constexpr std::size_t kRowsPerPage = 1000;
constexpr std::size_t kKeysLookedAtMax = 100'000;  ///< by KEYS: nothing else is served meanwhile
constexpr std::size_t kScanCountMax = 10'000;      ///< SCAN asks for more: gets as many
constexpr std::size_t kRandomWindow = 128;
constexpr std::size_t kProbeBytes = 6;

constexpr std::string_view kTooManyKeys = "ERR more than 100000 keys would be looked at: use SCAN";
constexpr std::string_view kInvalidCursor = "ERR invalid cursor";

struct ScanOptions {
    std::string begin;
    std::size_t count = 10;
    std::optional<std::string_view> pattern;
    bool has_other_type = false;
};

/// The word of the cursor is not the client's number, but what it stands for (see scan()).
Parsed<ScanOptions> read_scan_options(const Call& call) {
    ScanOptions options;
    const std::string_view cursor = call.words[1];
    if (!cursor.empty() && cursor.front() != 'k') return refuse(kInvalidCursor);
    if (!cursor.empty()) options.begin = cursor.substr(1);
    for (std::size_t i = 2; i < call.words.size(); i += 2) {
        if (i + 1 == call.words.size()) return refuse(kSyntaxError);
        const std::string_view name = call.words[i], value = call.words[i + 1];
        if (is(name, "COUNT")) {
            const auto count = integer(value);
            if (!count) return tl::unexpected<Reply>(count.error());
            if (*count < 1) return refuse(kSyntaxError);
            options.count = std::min(static_cast<std::size_t>(*count), kScanCountMax);
        } else if (is(name, "MATCH")) {
            options.pattern = value;
        } else if (is(name, "TYPE")) {
            options.has_other_type = !is(value, "STRING");
        } else {
            return refuse(kSyntaxError);
        }
    }
    return options;
}

}  // namespace

Reply keys(Call& call) {
    const std::string_view pattern = call.words[1], prefix = literal_prefix(pattern);
    std::vector<Reply> found;
    std::size_t looked_at = 0, bytes = 0;
    for (std::optional<std::string> begin(prefix); begin;) {
        auto page = call.keys.page(*begin, kRowsPerPage);
        looked_at += page.keys.size();
        if (looked_at > kKeysLookedAtMax) return Reply::error(kTooManyKeys);
        for (const std::string& key : page.keys) {
            if (!key.starts_with(prefix)) return Reply::array(std::move(found));
            if (!glob_matches(pattern, key)) continue;
            found.push_back(Reply::bulk(key));
            bytes += found.back().bytes();
            if (bytes > call.reply_bytes_max) return Reply::error(kReplyTooLarge);
        }
        begin = std::move(page.next);
    }
    return Reply::array(std::move(found));
}

/// SCAN, with the cursor translated by the session that took it: "" is the beginning, "kKEY" goes on from KEY, all else is no cursor.
Reply scan(Call& call) {
    const auto options = read_scan_options(call);
    if (!options) return options.error();
    auto page = call.keys.page(options->begin, options->count);
    std::vector<Reply> found;
    for (const std::string& key : page.keys) {
        const bool fits_pattern = !options->pattern || glob_matches(*options->pattern, key);
        if (fits_pattern && !options->has_other_type) found.push_back(Reply::bulk(key));
    }
    return Reply::array({Reply::cursor(page.next.value_or("")), Reply::array(std::move(found))});
}

/// A key near a random place between the first keys and the last: not every key is as likely as every other.
Reply randomkey(Call& call) {
    const auto first = call.keys.page("", kRandomWindow);
    if (first.keys.empty()) return Reply::nil();
    std::vector<std::string> candidates = first.keys;
    if (first.next) {
        std::string probe = first.keys[call.random % first.keys.size()];
        probe.resize(probe.size() / 2);
        for (std::size_t i = 0; i < kProbeBytes; ++i) probe.push_back(static_cast<char>('0' + (call.random >> (8 * i) & 0xff) % 75));
        const auto beside = call.keys.page(probe, kRandomWindow);
        if (!beside.keys.empty()) candidates = beside.keys;
    }
    return Reply::bulk(candidates[(call.random >> 32) % candidates.size()]);
}

Reply dbsize(Call& call) { return Reply::number(call.keys.counts().keys); }

}  // namespace tanist::commands::redis
