// SPDX-License-Identifier: Apache-2.0
// Commands about data: a row for each of commands/redis/table.h. Those said most go shorter ways; all others are logged, or asked of
// the state, in their words.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ensure.h"
#include "commands/encoding.h"
#include "commands/redis/table.h"
#include "server/clock.h"
#include "server/resp/data.h"
#include "server/resp/help.h"
#include "server/resp/info.h"
#include "server/resp/keys_command.h"
#include "server/resp/replies.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

namespace redis = commands::redis;
using protocol::RespEncoder;

void answer_reply(RespSession& session, RespEncoder& to, const commands::Outcome& outcome) {
    encode(to, *outcome.results.at(0).reply, session.services().cursors);
}

const redis::Row& row_of(RespSession& session, Arguments arguments) {
    const CommandTable::Row* row = session.services().port.commands.find(arguments[0]);
    ENSURE(row != nullptr);
    const redis::Row* data = redis::find(row->command->name);
    ENSURE(data != nullptr);
    return *data;
}

/// Differs from one call to the next, and no more is asked of it.
std::uint64_t draw() {
    auto bits = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9ULL;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebULL;
    return bits ^ bits >> 31;
}

commands::Request log_read(RespSession& session, Arguments arguments) {
    commands::Request request;
    request.commands.emplace_back(to_logged(row_of(session, arguments).name, arguments, session.services().cursors));
    return request;
}
const LoggedRead kLogged{.request = log_read, .answer = answer_reply};

/// A value may be as long as a request, a key that is only looked for not.
bool key_fits(RespSession& session, std::string_view key) {
    const std::size_t bytes_max = session.services().settings.limits.key_bytes_max;
    if (key.size() <= bytes_max) return true;
    session.reply_error(fmt::format("ERR key of {} bytes: at most {} are allowed", key.size(), bytes_max));
    return false;
}

/// Calls `fits(key)` for the keys among its words until one does not.
template <class Fits>
bool keys_fit(const redis::Row& row, Arguments arguments, const Fits& fits) {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (row.is_key(i, arguments.size()) && !fits(arguments[i])) return false;
    }
    return true;
}

void data(RespSession& session, Arguments arguments) {
    const redis::Row& row = row_of(session, arguments);
    if (row.has(redis::kWrites)) return session.write(log_read(session, arguments), answer_reply);
    if (!keys_fit(row, arguments, [&](std::string_view key) { return key_fits(session, key); })) return;
    session.read(arguments, answer_from_state, row.has(redis::kScans) ? nullptr : &kLogged);
}

// -- shorter ways ---------------------------------------------------------------------------------------------------------------------

void get(RespSession& session, Arguments arguments) {
    const bool is_too_long = arguments[1].size() > session.services().settings.limits.key_bytes_max;
    if (is_too_long && session.waits_for_gets(arguments)) return;
    if (key_fits(session, arguments[1])) session.get(arguments);
}

void set(RespSession& session, Arguments arguments) {
    if (arguments.size() > 3) return data(session, arguments);
    const commands::CommandView put{.kind = commands::CommandKind::kPut, .key = arguments[1], .value = arguments[2]};
    session.write(put, [](RespSession&, RespEncoder& to, const commands::Outcome&) { to.ok(); }, true);
}

void keys(RespSession& session, Arguments arguments) {
    const bool is_large = session.services().state.key_counts().keys > kKeysAtOnce;
    is_large ? gather_keys(session, arguments) : data(session, arguments);
}

void answer_found(RespSession&, RespEncoder& to, const commands::Outcome& outcome) {
    to.integer(std::ranges::count_if(outcome.results, &commands::CommandResult::found));
}

void del(RespSession& session, Arguments arguments) {
    if (arguments.size() == 2)
        return session.write({.kind = commands::CommandKind::kDelete, .key = arguments[1], .value = {}}, answer_found);
    commands::Request request;
    request.commands.reserve(arguments.size() - 1);
    for (const std::string_view key : arguments.subspan(1)) request.commands.emplace_back(commands::Delete{std::string(key)});
    session.write(std::move(request), answer_found);
}

void incr(RespSession& session, Arguments arguments) {
    const commands::CommandView increment{.kind = commands::CommandKind::kIncrement, .key = arguments[1], .value = {}, .by = 1};
    session.write(increment, [](RespSession&, RespEncoder& to, const commands::Outcome& outcome) {
        const std::string& value = outcome.results.at(0).value.value();
        to.integer(std::stoll(value));
    });
}

// -- of the process's memory, which is not what MEMORY USAGE counts ---------------------------------------------------------------------

void memory_doctor(RespSession& session, Arguments) {
    session.reply([](RespEncoder& to) {
        to.verbatim(
            "txt",
            "Nothing is judged here: data lies on disk, behind a cache of store.block_cache_bytes. INFO memory has what the process uses.");
    });
}

void memory_malloc_stats(RespSession& session, Arguments) {
    session.reply([](RespEncoder& to) {
        to.verbatim("txt", "The allocator of this server keeps no statistics of its own. INFO memory has what the process uses.");
    });
}

void memory_purge(RespSession& session, Arguments) { session.reply_ok(); }

void memory_stats(RespSession& session, Arguments) {
    const ProcessMemory memory = memory_of_process();
    const auto& connections = session.services().connections.open;
    std::uint64_t of_clients = 0;
    for (const auto& [connection, _] : connections) of_clients += connection->unread() + connection->unsent();
    const std::array<std::pair<std::string_view, std::uint64_t>, 6> facts{{{"peak.allocated", memory.peak},
                                                                           {"total.allocated", memory.resident},
                                                                           {"replication.backlog", 0},
                                                                           {"clients.slaves", 0},
                                                                           {"clients.normal", of_clients},
                                                                           {"allocator.resident", memory.resident}}};
    session.reply([&](RespEncoder& to) {
        to.map(facts.size() + 1);
        for (const auto& [name, bytes] : facts) {
            to.bulk(name);
            to.integer(static_cast<std::int64_t>(bytes));
        }
        to.bulk("peak.percentage");
        to.number(100 * static_cast<double>(memory.resident) / static_cast<double>(memory.peak));
    });
}

// -- rows -----------------------------------------------------------------------------------------------------------------------------

struct ShortWay {
    std::string_view name;
    Handler handler;
};
constexpr std::array kShortWays = {ShortWay{"GET", get}, ShortWay{"SET", set}, ShortWay{"DEL", del}, ShortWay{"INCR", incr},
                                   ShortWay{"KEYS", keys}};

constexpr KeyWords kSecondWord{2, 2, 1};
constexpr std::array kObjectSubcommands = {
    Command{"ENCODING", 3, RequestKind::kGet, data, kReadOnly, kSecondWord, Group::kGeneric},
    Command{"FREQ", 3, RequestKind::kGet, data, kReadOnly, kSecondWord, Group::kGeneric},
    Command{"IDLETIME", 3, RequestKind::kGet, data, kReadOnly, kSecondWord, Group::kGeneric},
    Command{"REFCOUNT", 3, RequestKind::kGet, data, kReadOnly, kSecondWord, Group::kGeneric},
    Command{"HELP", 2, RequestKind::kOther, data, kLoading | kStale, {}, Group::kGeneric},
};
constexpr std::array kMemorySubcommands = {
    Command{"DOCTOR", 2, RequestKind::kOther, memory_doctor, 0, {}, Group::kServer},
    Command{"HELP", 2, RequestKind::kOther, help, kLoading | kStale, {}, Group::kServer},
    Command{"MALLOC-STATS", 2, RequestKind::kOther, memory_malloc_stats, 0, {}, Group::kServer},
    Command{"PURGE", 2, RequestKind::kOther, memory_purge, 0, {}, Group::kServer},
    Command{"STATS", 2, RequestKind::kOther, memory_stats, 0, {}, Group::kServer},
    Command{"USAGE", -3, RequestKind::kGet, data, kReadOnly, kSecondWord, Group::kServer},
};
std::span<const Command> subcommands_of(const redis::Row& row) {
    if (row.name == "OBJECT") return kObjectSubcommands;
    if (row.name == "MEMORY") return kMemorySubcommands;
    return {};
}

Handler handler_of(const redis::Row& row) {
    if (!subcommands_of(row).empty()) return nullptr;
    const auto way = std::ranges::find(kShortWays, row.name, &ShortWay::name);
    return way == kShortWays.end() ? data : way->handler;
}

RequestKind kind_of(const redis::Row& row) {
    if (row.has(redis::kScans)) return RequestKind::kScan;
    if (row.has(redis::kReads)) return RequestKind::kGet;
    if (row.name.starts_with("INCR") || row.name.starts_with("DECR")) return RequestKind::kIncrement;
    if (row.name.ends_with("DEL") || row.name == "UNLINK" || row.name.starts_with("FLUSH")) return RequestKind::kDelete;
    return RequestKind::kPut;
}

Command to_command(const redis::Row& row) {
    constexpr std::array<std::pair<redis::Trait, std::uint32_t>, 4> kFlags{
        {{redis::kReads, kReadOnly}, {redis::kWrites, kWrite}, {redis::kGrows, kDenyOom}, {redis::kFast, kFast}}};
    std::uint32_t flags = 0;
    for (const auto& [trait, flag] : kFlags) flags |= row.has(trait) ? flag : 0;
    if (row.name == "KEYS" || row.name.starts_with("FLUSH")) flags |= kDangerous;  // one of them is felt by everybody
    const Group group = row.family == redis::Family::kStrings ? Group::kString
                        : row.family == redis::Family::kBits  ? Group::kBitmap
                                                              : Group::kGeneric;
    const bool is_container = !subcommands_of(row).empty();
    return {.name = row.name,
            .arity = row.arity,
            .kind = kind_of(row),
            .handler = handler_of(row),
            .flags = is_container ? 0 : flags,
            .keys = is_container ? KeyWords{} : KeyWords{row.keys.first, row.keys.last, row.keys.step},
            .group = group,
            .subcommands = subcommands_of(row)};
}

}  // namespace

commands::Redis to_logged(std::string_view name, Arguments arguments, const Cursors& cursors) {
    commands::Redis logged{{arguments.begin(), arguments.end()}};
    logged.words[0] = name;
    if (name == "SCAN" && arguments.size() > 1) logged.words[1] = cursors.translate(arguments[1]);
    return logged;
}

bool reads_named_keys(RespSession& session, const CommandTable::Row& row, Arguments arguments) {
    if (!row.has(kReadOnly) || !takes(*row.command, arguments.size())) return false;
    const auto fits = [bytes_max = session.services().settings.limits.key_bytes_max](std::string_view key) {
        return key.size() <= bytes_max;
    };
    if (row.command->handler == get) return fits(arguments[1]);  // said most: without a look at the table
    if (row.command->handler != data) return false;
    const redis::Row& of_state = row_of(session, arguments);
    return !of_state.has(redis::kScans) && keys_fit(of_state, arguments, fits);
}

Status answer_from_state(RespSession& session, RespEncoder& to, Arguments arguments) {
    const commands::Redis logged = to_logged(row_of(session, arguments).name, arguments, session.services().cursors);
    const std::vector<std::string_view> words(logged.words.begin(), logged.words.end());
    // Log time follows the wall clock: what has passed since the last entry is told by it (S22).
    const auto reply = session.services().state.read(words, read_clock().wall_ms, draw());
    if (!reply) return fail(reply.error());
    encode(to, *reply, session.services().cursors);
    return {};
}

std::span<const Command> data_commands() {
    static const auto rows = [] {
        std::vector<Command> commands;
        for (const redis::Row& row : redis::table()) commands.push_back(to_command(row));
        return commands;
    }();
    return rows;
}

}  // namespace tanist::server::resp
