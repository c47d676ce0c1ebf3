// SPDX-License-Identifier: Apache-2.0
// CONFIG: what Redis's parameters are here, and ours under the names that they have in the file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "commands/redis/glob.h"
#include "config/keys.h"
#include "config/load.h"
#include "server/resp/administration.h"
#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"
#include "server/resp/words.h"
#include "server/status.h"
#include "server/users.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

// -- Redis's parameters ---------------------------------------------------------------------------------------------------------------

/// One of Redis's parameters that is one of our keys, and is shown as Redis shows it.
struct Parameter {
    std::string_view name;
    std::string_view section, key;  ///< ours; empty: of the port, see below
    std::string (*show)(const config::Config& config);
    bool is_bytes = false;  ///< taken with a unit, too
};

std::string directory(const config::Config& config) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(config.node.data_dir, error);
    return error ? config.node.data_dir.string() : absolute.string();
}

std::string log_level(const config::Config& config) {
    switch (config.log.level) {
        case config::LogLevel::kDebug: return "debug";
        case config::LogLevel::kInfo: return "notice";
        case config::LogLevel::kWarn:
        case config::LogLevel::kError: return "warning";
    }
    return "notice";
}

/// Of Redis's level; nullopt: there is none of that name.
std::optional<std::string_view> our_level(std::string_view theirs) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kLevels{
        {{"DEBUG", "debug"}, {"VERBOSE", "info"}, {"NOTICE", "info"}, {"WARNING", "warn"}}};
    const auto* level = std::ranges::find_if(kLevels, [&](const auto& each) { return is_word(theirs, each.first); });
    return level == kLevels.end() ? std::nullopt : std::optional(level->second);
}

constexpr std::array kParameters = {
    Parameter{"aclfile", "", "", [](const config::Config& c) { return c.security.acl_file.path.string(); }},
    Parameter{"bind", "", "", [](const config::Config& c) { return c.listen.client.host; }},
    Parameter{"dir", "", "", directory},
    Parameter{"client-query-buffer-limit", "limits", "request_bytes",
              [](const config::Config& c) { return std::to_string(c.limits.request_bytes); }, true},
    Parameter{"loglevel", "log", "level", log_level},
    Parameter{"maxclients", "limits", "connections", [](const config::Config& c) { return std::to_string(c.limits.connections); }},
    Parameter{"port", "", "", [](const config::Config& c) { return std::to_string(c.listen.client.port); }},
    Parameter{"requirepass", "security", "requirepass",
              [](const config::Config& c) { return std::string(c.security.requirepass.text.empty() ? "" : "(hidden)"); }},
    Parameter{"proto-max-bulk-len", "limits", "value_bytes", [](const config::Config& c) { return std::to_string(c.limits.value_bytes); },
              true},
};

/// What holds here, in Redis's words, and cannot be changed.
constexpr auto kFixed = std::to_array<std::pair<std::string_view, std::string_view>>({{"acl-pubsub-default", "resetchannels"},
                                                                                      {"activedefrag", "no"},
                                                                                      {"daemonize", "no"},
                                                                                      {"appendfsync", "always"},
                                                                                      {"appendonly", "yes"},
                                                                                      {"cluster-enabled", "no"},
                                                                                      {"databases", "1"},
                                                                                      {"dynamic-hz", "no"},
                                                                                      {"hz", "100"},
                                                                                      {"io-threads", "1"},
                                                                                      {"lazyfree-lazy-eviction", "no"},
                                                                                      {"lazyfree-lazy-expire", "no"},
                                                                                      {"lazyfree-lazy-server-del", "no"},
                                                                                      {"lazyfree-lazy-user-del", "no"},
                                                                                      {"lazyfree-lazy-user-flush", "no"},
                                                                                      {"list-max-listpack-size", "-2"},
                                                                                      {"maxmemory", "0"},
                                                                                      {"maxmemory-clients", "0"},
                                                                                      {"maxmemory-policy", "noeviction"},
                                                                                      {"maxmemory-samples", "5"},
                                                                                      {"min-replicas-to-write", "0"},
                                                                                      {"protected-mode", "no"},
                                                                                      {"replica-priority", "100"},
                                                                                      {"replica-read-only", "yes"},
                                                                                      {"replica-serve-stale-data", "yes"},
                                                                                      {"save", ""},
                                                                                      {"slave-priority", "100"},
                                                                                      {"slave-read-only", "yes"},
                                                                                      {"slave-serve-stale-data", "yes"},
                                                                                      {"supervised", "no"},
                                                                                      {"tcp-keepalive", "0"},
                                                                                      {"unixsocket", ""}});

/// Of the port, not of the configuration: they last until the node ends.
struct PortParameter {
    std::string_view name;
    std::int64_t min, max;
    std::int64_t (*get)(const Port& port);
    void (*set)(Port& port, std::int64_t value);
};
constexpr std::array kPortParameters = {
    PortParameter{"latency-monitor-threshold", 0, INT64_MAX,
                  [](const Port& p) { return static_cast<std::int64_t>(p.records.latency_threshold_ms); },
                  [](Port& p, std::int64_t value) { p.records.latency_threshold_ms = static_cast<std::uint64_t>(value); }},
    PortParameter{"acllog-max-len", 0, 100'000, [](const Port& p) { return static_cast<std::int64_t>(p.records.acl_log.events_max); },
                  [](Port& p, std::int64_t value) { p.records.acl_log.events_max = static_cast<std::size_t>(value); }},
    PortParameter{"slowlog-log-slower-than", -1, INT64_MAX, [](const Port& p) { return p.records.slower_than_us; },
                  [](Port& p, std::int64_t value) { p.records.slower_than_us = value; }},
    PortParameter{"timeout", 0, INT_MAX, [](const Port& p) { return static_cast<std::int64_t>(p.idle_seconds_max); },
                  [](Port& p, std::int64_t value) { p.idle_seconds_max = static_cast<std::uint64_t>(value); }},
    PortParameter{"tracking-table-max-keys", 0, INT64_MAX, [](const Port& p) { return static_cast<std::int64_t>(p.tracking.keys_max); },
                  [](Port& p, std::int64_t value) { p.tracking.keys_max = static_cast<std::size_t>(value); }},
    PortParameter{"slowlog-max-len", 0, 100'000, [](const Port& p) { return static_cast<std::int64_t>(p.records.slow_max); },
                  [](Port& p, std::int64_t value) { p.records.slow_max = static_cast<std::size_t>(value); }},
};

/// The same for those that are not a number.
struct PortText {
    std::string_view name;
    std::string (*get)(const Port& port);
    /// Nullopt: set; otherwise why not. `port` null: only looks whether it can be set.
    std::optional<std::string> (*set)(Port* port, std::string_view value);
};

std::optional<std::string> set_latency_tracking(Port* port, std::string_view value) {
    const bool yes = is_word(value, "YES");
    if (!yes && !is_word(value, "NO")) return "argument must be 'yes' or 'no'";
    if (port == nullptr) return std::nullopt;
    port->records.tracks_latency = yes;
    if (!yes) port->records.forget_latency_tracking();
    return std::nullopt;
}

std::optional<std::string> set_percentiles(Port* port, std::string_view value) {
    std::vector<double> percentiles;
    std::istringstream words{std::string(value)};
    for (std::string word; words >> word;) {
        char* end = nullptr;
        const double percent = std::strtod(word.c_str(), &end);
        if (*end != '\0' || !std::isfinite(percent)) return "Invalid latency-tracking-info-percentiles parameters";
        if (percent < 0 || percent > 100) return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
        percentiles.push_back(percent);
    }
    if (port != nullptr) port->records.percentiles = std::move(percentiles);
    return std::nullopt;
}

std::optional<std::string> set_output_limits(Port* port, std::string_view value) {
    OutputLimits limits = port == nullptr ? OutputLimits{} : port->output_limits;
    if (auto refused = limits.read(value)) return refused;
    if (port != nullptr) port->output_limits = limits;
    return std::nullopt;
}

std::optional<std::string> set_event_classes(Port* port, std::string_view value) {
    const auto classes = EventClasses::parse(value);
    if (!classes) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
    if (port != nullptr) port->keys.set_classes(*classes);
    return std::nullopt;
}

constexpr std::array kPortTexts = {
    PortText{"client-output-buffer-limit", [](const Port& p) { return p.output_limits.to_string(); }, set_output_limits},
    PortText{"notify-keyspace-events", [](const Port& p) { return p.keys.classes().to_string(); }, set_event_classes},
    PortText{"latency-tracking", [](const Port& p) { return std::string(p.records.tracks_latency ? "yes" : "no"); }, set_latency_tracking},
    PortText{"latency-tracking-info-percentiles", [](const Port& p) { return fmt::format("{}", fmt::join(p.records.percentiles, " ")); },
             set_percentiles},
};

std::string without_quotes(std::string text) {
    return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

/// "host port" of the master that this node follows; empty: it is the master, or hears none.
std::string master_address(const Routing& routing) {
    const core::View& view = routing.view();
    const Member* master = routing.is_master() || !view.master ? nullptr : view.membership.find(*view.master);
    if (master == nullptr) return {};
    const auto [host, port] = split_address(master->addresses.client);
    return fmt::format("{} {}", host, port);
}

using Settings = std::vector<std::pair<std::string, std::string>>;

Settings all_settings(RespSession& session) {
    const config::Config& config = session.services().administration.config();
    Settings all;
    for (const Parameter& parameter : kParameters) all.emplace_back(parameter.name, parameter.show(config));
    const std::string master = master_address(session.services().routing);
    for (const std::string_view name : {"replicaof", "slaveof"}) all.emplace_back(name, master);
    for (const auto& [name, value] : kFixed) all.emplace_back(name, value);
    for (const PortParameter& parameter : kPortParameters)
        all.emplace_back(parameter.name, std::to_string(parameter.get(session.services().port)));
    for (const PortText& parameter : kPortTexts) all.emplace_back(parameter.name, parameter.get(session.services().port));
    for (const config::Key& key : config::keys()) all.emplace_back(key.full_name(), without_quotes(key.print(config)));
    return all;
}

// -- the commands -----------------------------------------------------------------------------------------------------------------------

void get(RespSession& session, Arguments arguments) {
    const Arguments patterns = arguments.subspan(2);
    Settings found;
    for (auto& [name, value] : all_settings(session)) {
        const auto by =
            std::ranges::find_if(patterns, [&](std::string_view pattern) { return commands::redis::glob_matches(lower(pattern), name); });
        if (by == patterns.end()) continue;
        const bool is_its_name = lower(*by) == name;  // which is told as it was asked for
        found.emplace_back(is_its_name ? std::string(*by) : name, std::move(value));
    }
    session.reply([&](RespEncoder& to) {
        to.map(found.size());
        for (const auto& [name, value] : found) {
            to.bulk(name);
            to.bulk(value);
        }
    });
}

/// Our key behind a name; null: none.
const config::Key* key_of(std::string_view name) {
    const auto parameter = std::ranges::find(kParameters, name, &Parameter::name);
    if (parameter != kParameters.end()) return parameter->section.empty() ? nullptr : config::find_key(parameter->section, parameter->key);
    const std::size_t dot = name.find('.');
    return dot == std::string_view::npos ? nullptr : config::find_key(name.substr(0, dot), name.substr(dot + 1));
}

std::string failed(std::string_view name, std::string_view why) {
    return fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name, why);
}

/// What CONFIG SET is about to do: all of it, or nothing.
struct Change {
    config::Config config;
    bool changes_config = false;
    std::vector<std::pair<const PortParameter*, std::int64_t>> of_port;
    std::vector<std::pair<const PortText*, std::string_view>> texts;
};

/// Nullopt: taken into `change`.
std::optional<std::string> take_setting(std::string_view name, std::string_view value, const Settings& current, Change& change) {
    if (const auto parameter = std::ranges::find(kPortParameters, name, &PortParameter::name); parameter != kPortParameters.end()) {
        const auto number = integer_of(value);
        if (!number) return failed(name, "argument couldn't be parsed into an integer");
        if (*number < parameter->min || *number > parameter->max)
            return failed(name, fmt::format("argument must be between {} and {} inclusive", parameter->min, parameter->max));
        change.of_port.emplace_back(&*parameter, *number);
        return std::nullopt;
    }
    if (const auto* text = std::ranges::find(kPortTexts, name, &PortText::name); text != kPortTexts.end()) {
        if (const auto refused = text->set(nullptr, value)) return failed(name, *refused);
        change.texts.emplace_back(text, value);
        return std::nullopt;
    }
    const auto known = std::ranges::find(current, name, &Settings::value_type::first);
    if (known == current.end()) return fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'", name);
    if (name == "loglevel") {
        const auto level = our_level(value);
        if (!level) return failed(name, "argument(s) must be one of the following: debug, verbose, notice, warning");
        value = *level;
    }
    const auto* parameter = std::ranges::find(kParameters, name, &Parameter::name);
    const auto bytes = parameter != kParameters.end() && parameter->is_bytes ? bytes_of(value) : std::nullopt;
    const std::string text = bytes ? std::to_string(*bytes) : std::string(value);
    const config::Key* key = key_of(name);
    if (key == nullptr || !key->reloadable) {
        if (lower(value) == known->second) return std::nullopt;  // tools that set what holds anyway
        return failed(name, "can't set immutable config");
    }
    if (const Status read = key->read(config::PlainText{text}, key->bounds, change.config); !read)
        return failed(name, read.error().message);
    change.changes_config = true;
    return std::nullopt;
}

void set(RespSession& session, Arguments arguments) {
    if (arguments.size() % 2 != 0) return session.reply_error(wrong_arity("config|set"));
    const Settings current = all_settings(session);
    Change change{.config = session.services().administration.config()};
    std::vector<std::string> names;
    for (std::size_t i = 2; i < arguments.size(); i += 2) {
        names.push_back(lower(arguments[i]));
        if (std::ranges::find(names, names.back()) != names.end() - 1)
            return session.reply_error(failed(names.back(), "duplicate parameter"));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (const auto refused = take_setting(names[i], arguments[2 * i + 3], current, change)) return session.reply_error(*refused);
    }
    if (const Status valid = config::validate(change.config); !valid)
        return session.reply_error(failed(names.front(), valid.error().message));
    const bool sets_password = change.config.security.requirepass != session.services().administration.config().security.requirepass;
    if (const auto refused = sets_password ? session.services().users.refuse_change() : std::nullopt) return session.reply_error(*refused);
    for (const auto& [parameter, value] : change.of_port) parameter->set(session.services().port, value);
    for (const auto& [parameter, value] : change.texts) static_cast<void>(parameter->set(&session.services().port, value));
    if (change.changes_config) session.services().administration.change_config(std::move(change.config));
    if (!sets_password || session.is_capturing()) return session.reply_ok();
    session.block();
    session.services().users.settle([asker = session.shared_session()](const std::optional<std::string>& error) {
        asker->unblock([&](RespEncoder& to) { error ? to.error(*error) : to.ok(); });
    });
}

void rewrite(RespSession& session, Arguments) {
    const Status written = session.services().administration.rewrite_config();
    written ? session.reply_ok() : session.reply_error("ERR Rewriting config file: " + written.error().message);
}

void reset_statistics(RespSession& session, Arguments) {
    session.services().port.records.forget_counts();
    session.services().administration.reset_statistics();
    session.reply_ok();
}

constexpr std::uint32_t kRuling = kAdmin | kNoScript | kLoading | kStale;
constexpr std::array kSubcommands = {
    Command{"GET", -3, RequestKind::kOther, get, kRuling},
    Command{"HELP", 2, RequestKind::kOther, help, kLoading | kStale},
    Command{"RESETSTAT", 2, RequestKind::kOther, reset_statistics, kRuling},
    Command{"REWRITE", 2, RequestKind::kOther, rewrite, kRuling},
    Command{"SET", -4, RequestKind::kOther, set, kRuling | kSecret},
};
constexpr std::array kCommands = {
    Command{"CONFIG", -2, RequestKind::kOther, nullptr, 0, {}, Group::kServer, kSubcommands},
};

}  // namespace

std::span<const Command> config_commands() { return kCommands; }

}  // namespace tanist::server::resp
