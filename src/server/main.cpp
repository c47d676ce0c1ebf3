// SPDX-License-Identifier: Apache-2.0
// tanistd: reads its configuration, and runs one node until it is told to stop.
#include <fmt/format.h>
#if TANIST_WITH_MIMALLOC
#include <mimalloc.h>
#endif
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <cstdio>
#include <utility>

#include "base/mutant.h"
#include "config/command_line.h"
#include "config/load.h"
#include "server/logging.h"
#include "server/server.h"
#include "server/signals.h"

namespace {

using namespace tanist;

static_assert(!kMutantsExist, "a server is never built with deliberate bugs");

int complain(int exit_code, const std::string& message) {
    fmt::print(stderr, "tanistd: {}\n", message);
    return exit_code;
}

/// Each connection needs a descriptor: takes as many as the system lets us.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// What is freed is mostly taken again at once: an entry leaves the log's tail in memory when the next one comes. mimalloc gives it back to
/// the system after a fortieth of a second, and each page of it costs a fault when it is taken again: so it keeps it for longer.
void keep_freed_memory() {
#if TANIST_WITH_MIMALLOC
    constexpr long kKeptMs = 2000;
#if MI_MALLOC_VERSION < 210
    mi_option_set_default(mi_option_decommit_delay, kKeptMs);
    mi_option_set_default(mi_option_segment_decommit_delay, kKeptMs);
#else
    mi_option_set_default(mi_option_purge_delay, kKeptMs);
#endif
#endif
}

}  // namespace

int main(int argument_count, char** arguments) {
    keep_freed_memory();
    auto command_line = config::parse_command_line(argument_count, arguments);
    if (!command_line) return complain(server::kExitConfiguration, command_line.error().message);
    if (command_line->answer) {
        fmt::print("{}\n", *command_line->answer);
        return server::kExitClean;
    }
    auto config = config::load_config(command_line->load);
    if (!config) return complain(server::kExitConfiguration, config.error().message);
    if (command_line->check_only) {
        fmt::print("{}: the configuration is good\n",
                   command_line->load.file ? command_line->load.file->string() : "environment and flags");
        return server::kExitClean;
    }
    server::set_up_logging(config->log);
    for (const std::string& variable : config::ignored_variables(command_line->load.environment))
        spdlog::warn("an environment variable sets nothing: settings are TANIST_SECTION__KEY variable={}", variable);
    raise_descriptor_limit();
    auto opened = server::Server::open(std::move(*config), {.bootstrap = command_line->bootstrap,
                                                            .users_from_configuration = command_line->users_from_config,
                                                            .cut_corrupt_log = command_line->cut_corrupt_log});
    if (!opened) return complain(opened.error().exit_code, opened.error().message);
    server::Server& server = **opened;
    server.set_config_source(command_line->load);
    const server::Signals signals(server, std::move(command_line->load));
    return server.run();
}
