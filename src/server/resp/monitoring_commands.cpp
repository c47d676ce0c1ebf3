// SPDX-License-Identifier: Apache-2.0
// Commands for who looks on: SLOWLOG LATENCY MONITOR.
#include <algorithm>
#include <array>

#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"
#include "server/resp/words.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

void slowlog_get(RespSession& session, Arguments arguments) {
    constexpr std::int64_t kDefaultCount = 10;
    if (arguments.size() > 3) return session.reply_error(wrong_arity("slowlog|get"));
    const auto wanted = arguments.size() == 3 ? integer_of(arguments[2]) : std::optional(kDefaultCount);
    if (!wanted || *wanted < -1) return session.reply_error("ERR count should be greater than or equal to -1");
    const auto& slow = session.services().port.records.slow();
    const std::size_t count = *wanted < 0 ? slow.size() : std::min(slow.size(), static_cast<std::size_t>(*wanted));
    session.reply([&](RespEncoder& to) {
        to.array(count);
        for (std::size_t i = 0; i < count; ++i) {
            to.array(6);
            to.integer(static_cast<std::int64_t>(slow[i].id));
            to.integer(static_cast<std::int64_t>(slow[i].unix_seconds));
            to.integer(static_cast<std::int64_t>(slow[i].microseconds));
            to.array(slow[i].words.size());
            for (const std::string& word : slow[i].words) to.bulk(word);
            to.bulk(slow[i].address);
            to.bulk(slow[i].client_name);
        }
    });
}

void slowlog_length(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(session.services().port.records.slow().size())); });
}

void slowlog_reset(RespSession& session, Arguments) {
    session.services().port.records.forget_slow();
    session.reply_ok();
}

// No latency events are recorded: /metrics has histograms of what takes time here.

void no_events(RespSession& session, Arguments) {
    session.reply([](RespEncoder& to) { to.array(0); });
}

void latency_reset(RespSession& session, Arguments) {
    session.reply([](RespEncoder& to) { to.integer(0); });
}

void latency_doctor(RespSession& session, Arguments) {
    session.reply([](RespEncoder& to) {
        to.verbatim(
            "txt",
            "No latency events are recorded by this server. SLOWLOG has slow commands; /metrics has histograms of log syncs and writes.\n");
    });
}

void monitor(RespSession& session, Arguments) {
    if (!session.is_monitor) session.services().port.records.add_monitor(session);
    session.is_monitor = true;
    session.reply_ok();
}

constexpr auto kOther = RequestKind::kOther;
constexpr std::uint32_t kLooking = kAdmin | kLoading | kStale;
constexpr std::array kSlowlogSubcommands = {
    Command{"GET", -2, kOther, slowlog_get, kLooking},
    Command{"HELP", 2, kOther, help, kLoading | kStale},
    Command{"LEN", 2, kOther, slowlog_length, kLooking},
    Command{"RESET", 2, kOther, slowlog_reset, kLooking},
};
constexpr std::array kLatencySubcommands = {
    Command{"DOCTOR", 2, kOther, latency_doctor, kLooking | kNoScript}, Command{"HELP", 2, kOther, help, kLoading | kStale},
    Command{"HISTORY", 3, kOther, no_events, kLooking | kNoScript},     Command{"LATEST", 2, kOther, no_events, kLooking | kNoScript},
    Command{"RESET", -2, kOther, latency_reset, kLooking | kNoScript},
};
constexpr std::array kCommands = {
    Command{"SLOWLOG", -2, kOther, nullptr, 0, {}, Group::kServer, kSlowlogSubcommands},
    Command{"LATENCY", -2, kOther, nullptr, 0, {}, Group::kServer, kLatencySubcommands},
    Command{"MONITOR", 1, kOther, monitor, kLooking | kNoScript},
};

}  // namespace

std::span<const Command> monitoring_commands() { return kCommands; }

}  // namespace tanist::server::resp
