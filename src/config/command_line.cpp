// SPDX-License-Identifier: Apache-2.0
#include "config/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iterator>

#include "config/keys.h"
#include "config/version.h"

namespace tanist::config {
namespace {

std::string describe_keys() {
    std::string text =
        "\nKeys, for the file (config/reference.toml says more), for --set section.key=value and for the environment as\n"
        "TANIST_SECTION__KEY; lists are written with commas there. A flag beats the environment beats the file.\n";
    const Config defaults;
    for (const Key& key : keys()) {
        const std::string value = key.required ? "(required)" : "= " + key.print(defaults);
        fmt::format_to(std::back_inserter(text), "  {:<31} {:<22} {}{}\n", key.full_name(), value, key.docs,
                       key.reloadable ? " (SIGHUP)" : "");
    }
    return text;
}

std::vector<std::pair<std::string, std::string>> environment_of_process() {
    std::vector<std::pair<std::string, std::string>> environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

}  // namespace

Result<CommandLine> parse_command_line(int argument_count, const char* const* arguments) {
    CommandLine command_line;
    std::string config_file;
    std::string checked_file;
    bool wants_version = false;

    CLI::App app("tanistd, the server of a Tanist cluster: a replicated key-value database.", "tanistd");
    app.add_option("--config", config_file, "configuration file (TOML)")->type_name("FILE");
    auto* check = app.add_option("--check-config", checked_file, "check this file with the environment and --set, say what is wrong, exit");
    check->type_name("FILE")->excludes("--config");
    app.add_option("--set", command_line.load.settings, "set one key; may be given again and again")
        ->type_name("SECTION.KEY=VALUE")
        ->allow_extra_args(false)
        ->take_all();
    app.add_flag("--bootstrap", command_line.bootstrap,
                 "form a new cluster without having asked every voter; whatever a voter that was not asked holds may be lost");
    app.add_flag("--cut-corrupt-log", command_line.cut_corrupt_log,
                 "where the only voter refuses to start on a corrupt log: give up what follows its last good entry; those writes are lost");
    app.add_flag(
        "--users-from-config", command_line.users_from_config,
        "for who has locked himself out: once this node is master, the users of its configuration take the place of the cluster's");
    app.add_flag("--version", wants_version, "print the version and exit");
    app.footer(describe_keys());
    app.get_formatter()->column_width(40);

    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::CallForHelp&) {
        command_line.answer = app.help();
        while (command_line.answer->ends_with('\n')) command_line.answer->pop_back();
        return command_line;
    } catch (const CLI::ParseError& e) {
        return fail(ErrorCode::kInvalidArgument,
                    "tanistd: {}\nUsage: tanistd --config FILE [--set section.key=value …]; more: tanistd --help", e.what());
    }
    if (wants_version) command_line.answer = fmt::format("tanistd {}", version());
    command_line.check_only = !checked_file.empty();
    if (!config_file.empty()) command_line.load.file = config_file;
    if (!checked_file.empty()) command_line.load.file = checked_file;
    command_line.load.environment = environment_of_process();
    return command_line;
}

}  // namespace tanist::config
