// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/repl.h"
#include "cli/status.h"
#include "cli/switchover.h"
#include "cli/transfer.h"
#include "cli/words.h"

namespace tanist::cli {
namespace {

/// Of a command line that cannot be read: what it says all the same.
bool wants_json(const std::vector<std::string>& words) { return std::ranges::find(words, "--json") != words.end(); }

Expected<Exit> run_command(Session& session, const Command& command) {
    return std::visit(
        [&]<class Given>(const Given& given) -> Expected<Exit> {
            if constexpr (std::is_same_v<Given, ShellCommand>) {
                return usage("a command is expected here");
            } else if constexpr (std::is_same_v<Given, ShowText>) {
                session.streams().out << given.text;
                return Exit::kOk;
            } else {
                return run(session, given);
            }
        },
        command);
}

}  // namespace

Exit complain(const Streams& streams, bool as_json, const Failure& failure) {
    streams.out.flush();
    if (!as_json) {
        streams.tell(failure.message);
        return failure.exit;
    }
    JsonObject error;
    error.text("code", to_string(failure.exit)).number("exit", static_cast<int>(failure.exit)).bytes("message", failure.message);
    streams.err << JsonObject().raw("error", error.take()).take() << '\n';
    return failure.exit;
}

Expected<Exit> run_line(Session& session, std::string_view line) {
    const auto words = split_words(line);
    if (!words) return tl::unexpected(words.error());
    if (words->empty()) return Exit::kOk;
    if (words->size() == 1 && words->front() == "help")
        return run_command(session, ShowText{"Commands: see any of them with --help\n  get put del cas incr scan batch status switchover "
                                             "import export\n  help, exit\n"});
    const Settings program = session.settings();
    auto invocation = parse_arguments(*words, program);
    if (!invocation) return tl::unexpected(invocation.error());
    const Settings& given = invocation->settings;
    if (given.connect != program.connect || given.direct != program.direct || given.user != program.user ||
        given.password_file != program.password_file) {
        return usage("--connect, --direct, --user and --password-file belong to the program, not to one of its lines");
    }
    session.use(invocation->settings);
    auto result = run_command(session, invocation->command);
    session.use(program);
    return result;
}

Exit run_script(Session& session) {
    Exit last = Exit::kOk;
    std::string line;
    for (std::size_t number = 1; std::getline(session.streams().in, line); ++number) {
        if (line == "exit" || line == "quit") break;
        auto result = run_line(session, line);
        if (!result) result.error().message = fmt::format("line {}: {}", number, result.error().message);
        last = result ? *result
                      : complain(session.streams(), session.settings().json || line.find("--json") != std::string::npos, result.error());
        const bool goes_on = result || last == Exit::kOk || last == Exit::kRefused;
        if (!goes_on) break;
    }
    return last;
}

Exit run_program(const std::vector<std::string>& words, const Streams& streams) {
    const auto invocation = parse_arguments(words);
    if (!invocation) return complain(streams, wants_json(words), invocation.error());
    if (const auto* text = std::get_if<ShowText>(&invocation->command)) {
        streams.out << text->text;
        return Exit::kOk;
    }
    const bool shell = std::holds_alternative<ShellCommand>(invocation->command);
    auto session = Session::connect(invocation->settings, streams, !shell);
    const bool as_json = invocation->settings.json;
    if (!session) return complain(streams, as_json, session.error());
    if (shell) return streams.in_is_terminal ? run_repl(*session) : run_script(*session);
    const auto result = run_command(*session, invocation->command);
    return result ? *result : complain(streams, as_json, result.error());
}

}  // namespace tanist::cli
