// SPDX-License-Identifier: Apache-2.0
// DEBUG, as far as clients' own tests use it: SLEEP, OBJECT, and PROTOCOL, which answers one of each kind of reply.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/clock.h"
#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

/// Only this connection waits, unlike in Redis: the node goes on.
void debug_sleep(RespSession& session, Arguments arguments) {
    constexpr double kSecondsMax = 60;
    const std::string word(arguments[2]);
    char* end = nullptr;
    const double seconds = std::strtod(word.c_str(), &end);
    if (end == word.c_str() || *end != '\0' || !(seconds >= 0 && seconds <= kSecondsMax)) {
        return session.reply_error(fmt::format("ERR DEBUG SLEEP takes 0 .. {} seconds", kSecondsMax));
    }
    const std::uint64_t deadline_ms = session.services().connections.now_ms + static_cast<std::uint64_t>(std::ceil(seconds * 1000));
    session.services().port.waiting.add(
        session.shared_session(), deadline_ms,
        [took_us = static_cast<std::uint64_t>(seconds * 1e6), word](RespSession& sleeper, bool at_deadline) {
            if (!at_deadline) return false;
            const std::array<std::string_view, 3> words{"DEBUG", "SLEEP", word};
            sleeper.record_slow(*sleeper.services().port.commands.find(words), words, took_us);
            sleeper.unblock([](RespEncoder& to) { to.ok(); });
            return true;
        });
}

Status encode_object(RespSession& session, RespEncoder& to, Arguments arguments) {
    const auto value = session.services().state.get(arguments[2]);
    if (!value) return fail(value.error());
    if (!*value) {
        to.error("ERR no such key");
        return {};
    }
    to.simple(fmt::format("Value at:0x0 refcount:1 encoding:raw serializedlength:{} lru:0 lru_seconds_idle:0", (*value)->value.size()));
    return {};
}

void debug_object(RespSession& session, Arguments arguments) { session.read(arguments, encode_object); }

void encode_array(RespEncoder& to) {
    to.array(3);
    for (int i = 0; i < 3; ++i) to.integer(i);
}

void encode_set(RespEncoder& to) {
    to.set(3);
    for (int i = 0; i < 3; ++i) to.integer(i);
}

void encode_map(RespEncoder& to) {
    to.map(3);
    for (int i = 0; i < 3; ++i) {
        to.integer(i);
        to.boolean(i == 1);
    }
}

struct Example {
    std::string_view type;
    void (*encode)(RespEncoder& to);
};
constexpr std::array kExamples{
    Example{"STRING", [](RespEncoder& to) { to.bulk("Hello World"); }},
    Example{"INTEGER", [](RespEncoder& to) { to.integer(12345); }},
    Example{"DOUBLE", [](RespEncoder& to) { to.number(3.141); }},
    Example{"BIGNUM", [](RespEncoder& to) { to.big_number("1234567999999999999999999999999999999"); }},
    Example{"NULL", [](RespEncoder& to) { to.null(); }},
    Example{"ARRAY", encode_array},
    Example{"SET", encode_set},
    Example{"MAP", encode_map},
    Example{"VERBATIM", [](RespEncoder& to) { to.verbatim("txt", "This is a verbatim\nstring"); }},
    Example{"TRUE", [](RespEncoder& to) { to.boolean(true); }},
    Example{"FALSE", [](RespEncoder& to) { to.boolean(false); }},
};

void debug_protocol(RespSession& session, Arguments arguments) {
    const auto* example = std::ranges::find_if(kExamples, [&](const Example& each) { return is_word(arguments[2], each.type); });
    if (example != kExamples.end()) return session.reply(example->encode);
    std::string known;
    for (const Example& each : kExamples) known += (known.empty() ? "" : "|") + lower(each.type);
    session.reply_error("ERR Wrong protocol type name. Please use one of the following: " + known);
}

/// What DEBUG alone, or with a word that it does not know, answers in Redis.
void debug(RespSession& session, Arguments arguments) { session.reply_error(wrong_subcommand(arguments)); }

constexpr auto kOther = RequestKind::kOther;
constexpr std::uint32_t kRuling = kAdmin | kNoScript | kLoading | kStale;
constexpr std::array kSubcommands = {
    Command{"HELP", 2, kOther, help, kLoading | kStale},
    Command{"OBJECT", 3, kOther, debug_object, kRuling | kNoMulti},
    Command{"PROTOCOL", 3, kOther, debug_protocol, kRuling},
    Command{"SLEEP", 3, kOther, debug_sleep, kRuling | kNoMulti},
};
constexpr std::array kCommands = {
    Command{"DEBUG", -2, kOther, debug, kRuling, {}, Group::kServer, kSubcommands},
};

}  // namespace

std::span<const Command> debug_commands() { return kCommands; }

}  // namespace tanist::server::resp
