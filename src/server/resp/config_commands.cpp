// SPDX-License-Identifier: Apache-2.0
// CONFIG: what Redis's parameters are here, and ours under the names that they have in the file.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "commands/redis/glob.h"
#include "config/keys.h"
#include "config/redis_values.h"
#include "config/validate.h"
#include "server/options.h"
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

/// One of Redis's parameters, most of which are one of our keys, shown and taken as Redis does.
struct Parameter {
    std::string_view name;
    std::string_view section, key;  ///< ours; empty: it cannot be changed
    std::string (*show)(const config::Config& config);
    /// Nullopt: taken into `config`; otherwise why not.
    std::optional<std::string> (*take)(std::string_view value, const config::Bounds& bounds, config::Config& config) = nullptr;
};

using Refusal = std::optional<std::string>;

template <class Integer>
    requires std::is_integral_v<Integer>
std::string shown(Integer value) {
    return std::to_string(value);
}
std::string shown(config::Switch value) { return std::string(to_string(value)); }
template <class Text>
    requires requires(const Text& value) { value.to_string(); }
std::string shown(const Text& value) {
    return value.to_string();
}

Refusal refuse_outside(std::int64_t number, const config::Bounds& bounds) {
    const std::int64_t min = bounds.or_none ? -1 : static_cast<std::int64_t>(bounds.min), max = static_cast<std::int64_t>(bounds.max);
    if (number >= min && number <= max) return std::nullopt;
    return fmt::format("argument must be between {} and {} inclusive", min, max);
}

template <class Integer>
    requires std::is_integral_v<Integer>
Refusal take(std::string_view value, const config::Bounds& bounds, Integer& to) {
    const auto number = integer_of(value);
    if (!number) return "argument couldn't be parsed into an integer";
    if (auto refused = refuse_outside(*number, bounds)) return refused;
    to = static_cast<Integer>(*number);
    return std::nullopt;
}

Refusal take_bytes(std::string_view value, const config::Bounds& bounds, std::size_t& to) {
    const auto bytes = config::bytes_of(value);
    if (!bytes) return "argument must be a memory value";
    if (auto refused = refuse_outside(static_cast<std::int64_t>(*bytes), bounds)) return refused;
    to = *bytes;
    return std::nullopt;
}

Refusal take(std::string_view value, const config::Bounds&, config::Switch& to) {
    const bool yes = is_word(value, "YES");
    if (!yes && !is_word(value, "NO")) return "argument must be 'yes' or 'no'";
    to = yes ? config::Switch::kYes : config::Switch::kNo;
    return std::nullopt;
}

Refusal take(std::string_view value, const config::Bounds&, config::EventClasses& to) {
    const auto classes = config::EventClasses::parse(value);
    if (!classes) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
    to = *classes;
    return std::nullopt;
}

template <class Text>
    requires requires(Text& to, std::string_view value) { to.read(value); }
Refusal take(std::string_view value, const config::Bounds&, Text& to) {
    return to.read(value);
}

/// Of a key of [redis].
template <auto Member>
constexpr Parameter of_redis(std::string_view name, std::string_view key) {
    return {name, "redis", key, [](const config::Config& c) { return shown(c.redis.*Member); },
            [](std::string_view value, const config::Bounds& bounds, config::Config& c) { return take(value, bounds, c.redis.*Member); }};
}

/// Of one that is a number of bytes.
template <auto Section, auto Member>
constexpr Parameter of_bytes(std::string_view name, std::string_view section, std::string_view key) {
    return {name, section, key, [](const config::Config& c) { return shown(c.*Section.*Member); },
            [](std::string_view value, const config::Bounds& bounds, config::Config& c) {
                return take_bytes(value, bounds, c.*Section.*Member);
            }};
}

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

Refusal take_log_level(std::string_view value, const config::Bounds&, config::Config& config) {
    using config::LogLevel;
    constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels{
        {{"DEBUG", LogLevel::kDebug}, {"VERBOSE", LogLevel::kInfo}, {"NOTICE", LogLevel::kInfo}, {"WARNING", LogLevel::kWarn}}};
    const auto* level = std::ranges::find_if(kLevels, [&](const auto& each) { return is_word(value, each.first); });
    if (level == kLevels.end()) return "argument(s) must be one of the following: debug, verbose, notice, warning";
    config.log.level = level->second;
    return std::nullopt;
}

/// Any bytes, as in Redis.
Refusal take_password(std::string_view value, const config::Bounds&, config::Config& config) {
    if (value.size() > config::kSecretBytesMax) return fmt::format("a password has at most {} bytes", config::kSecretBytesMax);
    config.security.requirepass.text = value;
    return std::nullopt;
}

using config::Config;
using config::LimitsConfig;
using config::RedisConfig;

constexpr std::array kParameters = {
    Parameter{"aclfile", "", "", [](const Config& c) { return c.security.acl_file.path.string(); }},
    of_redis<&RedisConfig::acllog_max_len>("acllog-max-len", "acllog_max_len"),
    Parameter{"bind", "", "", [](const Config& c) { return c.listen.client.host; }},
    of_redis<&RedisConfig::client_output_buffer_limit>("client-output-buffer-limit", "client_output_buffer_limit"),
    of_bytes<&Config::limits, &LimitsConfig::request_bytes>("client-query-buffer-limit", "limits", "request_bytes"),
    Parameter{"dir", "", "", directory},
    Parameter{"io-threads", "", "", [](const Config& c) { return shown(network_threads(c)); }},
    of_redis<&RedisConfig::latency_monitor_threshold_ms>("latency-monitor-threshold", "latency_monitor_threshold_ms"),
    of_redis<&RedisConfig::latency_tracking>("latency-tracking", "latency_tracking"),
    of_redis<&RedisConfig::latency_tracking_info_percentiles>("latency-tracking-info-percentiles", "latency_tracking_info_percentiles"),
    Parameter{"loglevel", "log", "level", log_level, take_log_level},
    Parameter{"maxclients", "limits", "connections", [](const Config& c) { return shown(c.limits.connections); },
              [](std::string_view value, const config::Bounds& bounds, Config& c) { return take(value, bounds, c.limits.connections); }},
    of_bytes<&Config::memory, &config::MemoryConfig::max>("maxmemory", "memory", "max"),
    of_redis<&RedisConfig::notify_keyspace_events>("notify-keyspace-events", "notify_keyspace_events"),
    Parameter{"port", "", "", [](const Config& c) { return shown(c.listen.client.port); }},
    of_bytes<&Config::limits, &LimitsConfig::value_bytes>("proto-max-bulk-len", "limits", "value_bytes"),
    Parameter{"requirepass", "security", "requirepass",
              [](const Config& c) { return std::string(c.security.requirepass.text.empty() ? "" : "(hidden)"); }, take_password},
    of_redis<&RedisConfig::slowlog_log_slower_than_us>("slowlog-log-slower-than", "slowlog_log_slower_than_us"),
    of_redis<&RedisConfig::slowlog_max_len>("slowlog-max-len", "slowlog_max_len"),
    of_redis<&RedisConfig::timeout_seconds>("timeout", "timeout_seconds"),
    of_redis<&RedisConfig::tracking_table_max_keys>("tracking-table-max-keys", "tracking_table_max_keys"),
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
                                                                                      {"lazyfree-lazy-eviction", "no"},
                                                                                      {"lazyfree-lazy-expire", "no"},
                                                                                      {"lazyfree-lazy-server-del", "no"},
                                                                                      {"lazyfree-lazy-user-del", "no"},
                                                                                      {"lazyfree-lazy-user-flush", "no"},
                                                                                      {"list-max-listpack-size", "-2"},
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

/// What is not in memory is on disk.
constexpr std::string_view kNothingIsEvicted =
    "only noeviction is possible: no key is ever given up for want of memory, what maxmemory has no room for is read from disk";

using Settings = std::vector<std::pair<std::string, std::string>>;

Settings all_settings(RespSession& session) {
    const config::Config& config = session.services().administration.config();
    Settings all;
    for (const Parameter& parameter : kParameters) all.emplace_back(parameter.name, parameter.show(config));
    const std::string master = master_address(session.services().routing);
    for (const std::string_view name : {"replicaof", "slaveof"}) all.emplace_back(name, master);
    for (const auto& [name, value] : kFixed) all.emplace_back(name, value);
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

std::string failed(std::string_view name, std::string_view why) {
    return fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name, why);
}

/// Of one of ours, which are taken as in the file.
std::optional<std::string> take_key(std::string_view name, std::string_view value, Config& config) {
    const std::size_t dot = name.find('.');
    const config::Key* key = dot == std::string_view::npos ? nullptr : config::find_key(name.substr(0, dot), name.substr(dot + 1));
    if (key == nullptr || !key->reloadable) return "can't set immutable config";
    const Status read = key->read(config::PlainText{std::string(value)}, key->bounds, config);
    return read ? std::nullopt : std::optional(read.error().message);
}

/// Nullopt: taken into `config`.
std::optional<std::string> take_setting(std::string_view name, std::string_view value, const Settings& current, Config& config) {
    const auto known = std::ranges::find(current, name, &Settings::value_type::first);
    if (known == current.end()) return fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'", name);
    const auto* parameter = std::ranges::find(kParameters, name, &Parameter::name);
    const bool is_ours = parameter == kParameters.end();
    Refusal refused;
    if (!is_ours && parameter->take != nullptr) {
        refused = parameter->take(value, config::find_key(parameter->section, parameter->key)->bounds, config);
    } else if (lower(value) != known->second) {  // tools set what holds anyway
        refused = is_ours ? take_key(name, value, config) : "can't set immutable config";
        if (name == "maxmemory-policy") refused = kNothingIsEvicted;
    }
    return refused ? std::optional(failed(name, *refused)) : std::nullopt;
}

/// What the values forbid each other, said of one of the parameters that were to be set.
std::optional<std::string> refuse_together(const Config& config, const std::vector<std::string>& names) {
    const auto findings = config::check(config);
    if (findings.empty()) return std::nullopt;
    const config::Finding& first = findings.front();
    const auto* parameter =
        std::ranges::find_if(kParameters, [&](const Parameter& each) { return each.section == first.section && each.key == first.name; });
    const auto own = parameter == kParameters.end() ? names.end() : std::ranges::find(names, parameter->name);
    return failed(own == names.end() ? names.front() : *own, fmt::format("{}.{} {}", first.section, first.name, first.allowed));
}

void set(RespSession& session, Arguments arguments) {
    if (arguments.size() % 2 != 0) return session.reply_error("ERR syntax error");
    const Settings current = all_settings(session);
    const Config& before = session.services().administration.config();
    Config config = before;
    std::vector<std::string> names;
    for (std::size_t i = 2; i < arguments.size(); i += 2) {
        names.push_back(lower(arguments[i]));
        if (std::ranges::find(names, names.back()) != names.end() - 1)
            return session.reply_error(failed(names.back(), "duplicate parameter"));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (const auto refused = take_setting(names[i], arguments[2 * i + 3], current, config)) return session.reply_error(*refused);
    }
    if (const auto refused = refuse_together(config, names)) return session.reply_error(*refused);
    const bool sets_password = config.security.requirepass != before.security.requirepass;
    if (const auto refused = sets_password ? session.services().users.refuse_change() : std::nullopt) return session.reply_error(*refused);
    if (config != before) session.services().administration.change_config(std::move(config));
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
