// SPDX-License-Identifier: Apache-2.0
// Makes one checked Config out of a file, the environment and flags: a flag beats the environment beats the file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace tanist::config {

struct LoadRequest {
    std::optional<std::filesystem::path> file;                     ///< TOML; without it everything comes from the two below
    std::vector<std::pair<std::string, std::string>> environment;  ///< names and values; only TANIST_SECTION__KEY are looked at
    std::vector<std::string> settings;                             ///< `section.key=value`, as given to --set; a later one wins
};

/// The error lists every mistake, one a line, as `file:line: section.key = value: what is allowed`; in place of `file:line`
/// stands `environment NAME` or `--set` where the value came from there.
[[nodiscard]] Result<Config> load_config(const LoadRequest& request);

/// Names that begin with TANIST_ and set nothing here, for a warning; one that is a slip for a key of a section is refused by
/// load_config().
[[nodiscard]] std::vector<std::string> ignored_variables(const std::vector<std::pair<std::string, std::string>>& environment);

/// The rules that tie keys together (ids, addresses, timeouts), for a Config that was put together by hand.
[[nodiscard]] Status validate(const Config& config);

/// What a reload (SIGHUP) is about to change, in words for the log.
struct Changes {
    std::vector<std::string> applied;        ///< `reads.max_lag_ms: 0 -> 500`
    std::vector<std::string> needs_restart;  ///< the same, for keys that are only read at start
    Config merged;                           ///< the old configuration with the applied changes: what to use from now on
};
[[nodiscard]] Changes reloadable_changes(const Config& old_config, const Config& new_config);

}  // namespace tanist::config
