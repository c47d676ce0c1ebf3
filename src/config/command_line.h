// SPDX-License-Identifier: Apache-2.0
// The flags of tanistd.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "config/load.h"

namespace tanist::config {

struct CommandLine {
    LoadRequest load;                   ///< --config, --set and the environment of the process
    bool check_only = false;            ///< --check-config FILE: validate, say so, and exit
    bool bootstrap = false;             ///< --bootstrap: form the cluster although not every voter can be asked (S2); by hand only
    bool cut_corrupt_log = false;       ///< --cut-corrupt-log: the only voter gives up what follows the first corrupt entry; by hand only
    bool users_from_config = false;     ///< --users-from-config: in place of the cluster's, once this node is master; by hand only
    std::optional<std::string> answer;  ///< --help or --version: print this and a line end, and exit 0
};

/// The error's message is for the terminal, usage included; the exit code that goes with it is 2.
[[nodiscard]] Result<CommandLine> parse_command_line(int argument_count, const char* const* arguments);

}  // namespace tanist::config
