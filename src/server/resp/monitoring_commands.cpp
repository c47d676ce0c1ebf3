// SPDX-License-Identifier: Apache-2.0
// Commands for who looks on: SLOWLOG LATENCY MONITOR.
#include <fmt/format.h>

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
    if (arguments.size() > 3) return session.reply_error(wrong_subcommand(arguments));
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

// -- LATENCY: what kept the node busy for longer than latency-monitor-threshold ---------------------------------------------------------

void latest(RespSession& session, Arguments) {
    const auto& latencies = session.services().port.records.latencies();
    session.reply([&](RespEncoder& to) {
        to.array(latencies.size());
        for (const auto& [event, of] : latencies) {
            to.array(4);
            to.bulk(event);
            to.integer(static_cast<std::int64_t>(of.samples.back().unix_seconds));
            to.integer(static_cast<std::int64_t>(of.samples.back().milliseconds));
            to.integer(static_cast<std::int64_t>(of.worst_ms));
        }
    });
}

std::deque<Latencies::Sample> samples_of(RespSession& session, std::string_view event) {
    const auto& latencies = session.services().port.records.latencies();
    const auto found = latencies.find(event);
    return found == latencies.end() ? std::deque<Latencies::Sample>{} : found->second.samples;
}

void history(RespSession& session, Arguments arguments) {
    const auto samples = samples_of(session, arguments[2]);
    session.reply([&](RespEncoder& to) {
        to.array(samples.size());
        for (const auto& sample : samples) {
            to.array(2);
            to.integer(static_cast<std::int64_t>(sample.unix_seconds));
            to.integer(static_cast<std::int64_t>(sample.milliseconds));
        }
    });
}

/// A line a sample, with a bar.
void graph(RespSession& session, Arguments arguments) {
    constexpr std::uint64_t kWidth = 60;
    const auto samples = samples_of(session, arguments[2]);
    if (samples.empty()) return session.reply_error(fmt::format("ERR No samples available for event '{}'", arguments[2].substr(0, 128)));
    const std::uint64_t worst_ms = session.services().port.records.latencies().find(arguments[2])->second.worst_ms;
    std::string text = fmt::format("{} - worst {} ms (all time)\n", arguments[2], worst_ms);
    for (const auto& sample : samples) {
        text +=
            fmt::format("{} {:>8} ms {}\n", sample.unix_seconds, sample.milliseconds,
                        std::string(std::max<std::uint64_t>(1, sample.milliseconds * kWidth / std::max<std::uint64_t>(1, worst_ms)), '#'));
    }
    session.reply([&](RespEncoder& to) { to.verbatim("txt", text); });
}

void latency_reset(RespSession& session, Arguments arguments) {
    Records& records = session.services().port.records;
    std::vector<std::string> events(arguments.begin() + 2, arguments.end());
    if (events.empty()) {
        for (const auto& [event, _] : records.latencies()) events.push_back(event);
    }
    const auto forgotten = std::ranges::count_if(events, [&](const std::string& event) { return records.forget_latency(event); });
    session.reply([&](RespEncoder& to) { to.integer(forgotten); });
}

void latency_doctor(RespSession& session, Arguments) {
    const Records& records = session.services().port.records;
    std::string text = "Latency monitoring is off: CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n";
    if (records.latency_threshold_ms > 0) {
        text = fmt::format("Commands that kept the node busy for {} ms or more:\n", records.latency_threshold_ms);
        for (const auto& [event, of] : records.latencies()) {
            text += fmt::format("{}: {} samples, worst {} ms, latest {} ms\n", event, of.samples.size(), of.worst_ms,
                                of.samples.back().milliseconds);
        }
        if (records.latencies().empty()) text += "none.\n";
    }
    text += "SLOWLOG has the commands themselves; /metrics has histograms of log syncs and of writes until they are answered.\n";
    session.reply([&](RespEncoder& to) { to.verbatim("txt", text); });
}

/// Of these commands, or of all; a command with subcommands stands for them.
void histogram(RespSession& session, Arguments arguments) {
    const CommandTable& commands = session.services().port.commands;
    const Records& records = session.services().port.records;
    std::vector<const CommandTable::Row*> wanted;
    const auto want = [&](const CommandTable::Row& row) {
        if (records.count_of(row).calls > 0 && std::ranges::find(wanted, &row) == wanted.end()) wanted.push_back(&row);
    };
    if (arguments.size() == 2) std::ranges::for_each(commands.all(), want);
    for (const std::string_view name : arguments.subspan(2)) {
        const CommandTable::Row* row = commands.find(name);
        if (row == nullptr) continue;
        want(*row);
        for (const CommandTable::Row* subcommand : row->subcommands) want(*subcommand);
    }
    session.reply([&](RespEncoder& to) {
        to.map(wanted.size());
        for (const CommandTable::Row* row : wanted) {
            const CommandCount& count = records.count_of(*row);
            to.bulk(row->name);
            to.map(2);
            to.bulk("calls");
            to.integer(static_cast<std::int64_t>(count.calls));
            to.bulk("histogram_usec");
            to.map(static_cast<std::size_t>(std::ranges::count_if(count.took, [](std::uint64_t calls) { return calls > 0; })));
            std::uint64_t so_far = 0;
            for (std::size_t i = 0; i < count.took.size(); ++i) {
                if (count.took[i] == 0) continue;
                to.integer(std::int64_t{1} << i);
                to.integer(static_cast<std::int64_t>(so_far += count.took[i]));
            }
        }
    });
}

void monitor(RespSession& session, Arguments) {
    if (session.is_capturing()) return session.reply_error("ERR MONITOR isn't allowed for DENY BLOCKING client");
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
    Command{"DOCTOR", 2, kOther, latency_doctor, kLooking | kNoScript},
    Command{"GRAPH", 3, kOther, graph, kLooking | kNoScript},
    Command{"HELP", 2, kOther, help, kLoading | kStale},
    Command{"HISTOGRAM", -2, kOther, histogram, kLooking | kNoScript},
    Command{"HISTORY", 3, kOther, history, kLooking | kNoScript},
    Command{"LATEST", 2, kOther, latest, kLooking | kNoScript},
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
