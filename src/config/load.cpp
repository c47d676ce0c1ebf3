// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>

#include "config/keys.h"
#include "config/toml_file.h"
#include "config/validate.h"

namespace tanist::config {
namespace {

constexpr std::string_view kEnvironmentPrefix = "TANIST_";
constexpr std::string_view kEnvironmentSeparator = "__";
/// Of the client program `tanist`.
constexpr std::array<std::string_view, 2> kOtherVariables{"TANIST_USER", "TANIST_PASSWORD"};

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

bool is_section(std::string_view section) { return std::ranges::find(keys(), section, &Key::section) != keys().end(); }

/// What a name of one underscore was meant to be, if it can be told.
struct Slip {
    std::string meant;     ///< the variable
    bool is_ours = false;  ///< it begins with a section of the configuration: nobody else's
};
std::optional<Slip> slip_of(std::string_view variable) {
    const std::string name = lower(variable.substr(kEnvironmentPrefix.size()));
    std::optional<Slip> slip;
    for (std::size_t at = name.find('_'); at != std::string::npos; at = name.find('_', at + 1)) {
        const std::string section = name.substr(0, at);
        const std::string key = closest_key(section, name.substr(at + 1));
        if (key.empty() || (slip && !is_section(section))) continue;
        const std::size_t dot = key.find('.');
        slip = Slip{
            std::string(kEnvironmentPrefix) + upper(key.substr(0, dot)) + std::string(kEnvironmentSeparator) + upper(key.substr(dot + 1)),
            is_section(section)};
    }
    return slip;
}

bool is_no_setting(std::string_view variable) {
    return variable.starts_with(kEnvironmentPrefix) &&
           variable.find(kEnvironmentSeparator, kEnvironmentPrefix.size()) == std::string_view::npos &&
           std::ranges::find(kOtherVariables, variable) == kOtherVariables.end();
}

/// TANIST_READS__MAX_LAG_MS=500 sets reads.max_lag_ms.
std::vector<Setting> settings_of(const std::vector<std::pair<std::string, std::string>>& environment) {
    std::vector<Setting> settings;
    for (const auto& [name, value] : environment) {
        const std::size_t separator = name.find(kEnvironmentSeparator, kEnvironmentPrefix.size());
        if (!name.starts_with(kEnvironmentPrefix) || separator == std::string::npos) continue;
        settings.push_back({lower(name.substr(kEnvironmentPrefix.size(), separator - kEnvironmentPrefix.size())),
                            lower(name.substr(separator + kEnvironmentSeparator.size())), PlainText{value}, "environment " + name});
    }
    return settings;
}

/// Collects every mistake, so that one run shows them all.
class Loader {
public:
    void add(const std::vector<Setting>& settings) {
        for (const Setting& setting : settings) add(setting);
    }

    /// TANIST_READS_LEVEL in place of TANIST_READS__LEVEL would be ignored in silence.
    void refuse_slips(const std::vector<std::pair<std::string, std::string>>& environment) {
        for (const auto& [name, value] : environment) {
            const auto slip = is_no_setting(name) ? slip_of(name) : std::nullopt;
            if (slip && slip->is_ours)
                mistakes_.push_back(
                    fmt::format("environment {}: two underscores stand between section and key; did you mean {}?", name, slip->meant));
        }
    }

    void add_flag(const std::string& text) {
        const std::size_t equals = text.find('=');
        const std::size_t dot = text.find('.');
        if (equals == std::string::npos || dot == std::string::npos || dot > equals) {
            mistakes_.push_back(fmt::format("--set: {}: must be section.key=value", text));
            return;
        }
        add({text.substr(0, dot), text.substr(dot + 1, equals - dot - 1), PlainText{text.substr(equals + 1)}, "--set"});
    }

    Result<Config> finish(std::string_view source) && {
        for (const Key& key : keys()) {
            if (!key.required || origins_.contains(&key)) continue;
            mistakes_.push_back(fmt::format("{}: {} is missing: {}; {}", source, key.full_name(), key.allowed(key.bounds), key.docs));
        }
        if (mistakes_.empty()) check_together();
        if (!mistakes_.empty()) return fail(ErrorCode::kInvalidArgument, "{}", fmt::join(mistakes_, "\n"));
        return std::move(config_);
    }

private:
    void add(const Setting& setting) {
        const Key* key = find_key(setting.section, setting.name);
        if (key == nullptr) return add_unknown(setting);
        origins_[key] = setting.origin;  // also of a bad value: it is wrong, not missing
        if (const Status status = key->read(setting.value, key->bounds, config_); !status) {
            mistakes_.push_back(
                fmt::format("{}: {} = {}: {}", setting.origin, key->full_name(), show(setting.value), status.error().message));
        }
    }

    void add_unknown(const Setting& setting) {
        const bool known_section = std::ranges::find(keys(), setting.section, &Key::section) != keys().end();
        if (setting.name.empty() && known_section) return;  // an empty section
        const std::string closest = closest_key(setting.section, setting.name);
        const std::string hint = closest.empty() ? std::string{} : fmt::format("; did you mean {}?", closest);
        std::vector<std::string_view> names;
        for (const Key& key : keys()) {
            if (known_section && key.section == setting.section) names.push_back(key.name);
            if (!known_section && (names.empty() || names.back() != key.section)) names.push_back(key.section);
        }
        if (setting.section.empty()) {
            mistakes_.push_back(fmt::format("{}: {}: stands under no section; allowed are [{}]{}", setting.origin, setting.name,
                                            fmt::join(names, "] ["), hint));
        } else if (known_section) {
            mistakes_.push_back(fmt::format("{}: {}.{}: no such key; [{}] allows {}{}", setting.origin, setting.section, setting.name,
                                            setting.section, fmt::join(names, ", "), hint));
        } else {
            mistakes_.push_back(fmt::format("{}: [{}]: no such section; allowed are [{}]{}", setting.origin, setting.section,
                                            fmt::join(names, "] ["), hint));
        }
    }

    void check_together() {
        for (const Finding& finding : check(config_)) {
            const Key* key = find_key(finding.section, finding.name);
            const auto origin = origins_.find(key);
            mistakes_.push_back(fmt::format("{}: {} = {}: {}", origin == origins_.end() ? "default" : origin->second, key->full_name(),
                                            key->print(config_), finding.allowed));
        }
    }

    Config config_;
    std::map<const Key*, std::string> origins_;
    std::vector<std::string> mistakes_;
};

}  // namespace

Result<Config> load_config(const LoadRequest& request) {
    Loader loader;
    if (request.file) {
        const auto settings = read_toml(*request.file);
        if (!settings) return fail(settings.error());
        loader.add(*settings);
    }
    loader.add(settings_of(request.environment));
    loader.refuse_slips(request.environment);
    for (const std::string& text : request.settings) loader.add_flag(text);
    return std::move(loader).finish(request.file ? request.file->string() : "no --config given");
}

std::vector<std::string> ignored_variables(const std::vector<std::pair<std::string, std::string>>& environment) {
    std::vector<std::string> ignored;
    for (const auto& [name, value] : environment) {
        if (!is_no_setting(name)) continue;
        const auto slip = slip_of(name);
        ignored.push_back(name + (slip ? fmt::format(" (did you mean {}?)", slip->meant) : ""));
    }
    return ignored;
}

Status validate(const Config& config) {
    std::vector<std::string> mistakes;
    for (const Finding& finding : check(config)) {
        const Key* key = find_key(finding.section, finding.name);
        mistakes.push_back(fmt::format("{} = {}: {}", key->full_name(), key->print(config), finding.allowed));
    }
    if (!mistakes.empty()) return fail(ErrorCode::kInvalidArgument, "{}", fmt::join(mistakes, "\n"));
    return {};
}

Changes reloadable_changes(const Config& old_config, const Config& new_config) {
    Changes changes{.applied = {}, .needs_restart = {}, .merged = old_config};
    for (const Key& key : keys()) {
        const std::string before = key.print(old_config);
        const std::string after = key.print(new_config);
        if (key.reloadable) key.copy(new_config, changes.merged);  // also what prints the same: secrets do
        if (before == after) continue;
        (key.reloadable ? changes.applied : changes.needs_restart).push_back(fmt::format("{}: {} -> {}", key.full_name(), before, after));
    }
    return changes;
}

}  // namespace tanist::config
