// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <memory>

namespace tanist::cli {
namespace {

constexpr std::string_view kFooter = R"(
Without a command: a prompt on a terminal, otherwise a script of such commands on standard input, one a line.
Words there may be quoted, and know \t \n \r \\ \" \xHH; a # begins a comment.

A get, scan or export on its own reads the newest state (linearizable) unless told otherwise; in the prompt and in
scripts reads are at least as new as what was seen there before (session).

Exit codes: 0 ok, 1 not found, 2 usage (also a wrong user or password, and what the user may not do), 3 unavailable
(nothing was executed), 4 refused by a condition, 5 outcome unknown.)";

constexpr std::string_view kBatchFooter = R"(
One condition or command a line; all conditions are checked first, then all commands run, or none:
  if-exists KEY | if-absent KEY | if-value KEY VALUE | if-version KEY VERSION
  put KEY VALUE | del KEY | incr KEY [BY] | get KEY
Words may be quoted, and know \t \n \r \\ \" \xHH; a # begins a comment.)";

constexpr std::string_view kImportFooter = R"(
JSONL, one record a line: {"key":"a","value":"b"}; what is not UTF-8 as key_b64, value_b64 in base64.
TSV: KEY<TAB>VALUE with \t \n \r \\ and \xHH for bytes that need it.
Records are written in batches, many at a time, and each batch as a whole. A bad line ends the import, with its
number, behind what came before it; with --skip-bad it is reported and left out.)";

const std::map<std::string, client::ReadLevel> kReadLevels = {
    {"stale", client::ReadLevel::kStale}, {"session", client::ReadLevel::kSession}, {"linearizable", client::ReadLevel::kLinearizable}};
const std::map<std::string, client::WriteLevel> kWriteLevels = {
    {"master", client::WriteLevel::kMaster}, {"quorum", client::WriteLevel::kQuorum}, {"all", client::WriteLevel::kAll}};
const std::map<std::string, Format> kFormats = {{"jsonl", Format::kJsonl}, {"tsv", Format::kTsv}};

/// 250ms, 5s, 2m; without a unit: seconds.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (failure != std::errc{} || number == 0) return std::nullopt;
    if (unit == "ms") return std::chrono::milliseconds(number);
    if (unit == "s" || unit.empty()) return std::chrono::seconds(number);
    if (unit == "m") return std::chrono::minutes(number);
    return std::nullopt;
}

/// What CLI11 writes into, before it becomes an Invocation. A value of "not given" is an empty optional or a count of 0.
struct Raw {
    std::string connect, read_level, write_level, timeout, format, user, password_file;
    std::string key, first, second, file;
    std::string if_value;
    std::uint64_t version = 0, limit = 0;
    std::uint32_t to = 0;
    std::int64_t by = 1;
    bool direct = false, json = false, raw = false, absent = false, keys_only = false, skip_bad = false;
    std::string prefix, begin, end;
};

struct Parser {
    explicit Parser(const std::string& program);

    CLI::App app;
    Raw raw;
};

template <class T>
std::string names(const std::map<std::string, T>& levels) {
    std::string out;
    for (const auto& [name, level] : levels) out += (out.empty() ? "" : "|") + name;
    return out;
}
template <class T>
CLI::Validator one_of(const std::map<std::string, T>& allowed) {
    return {[&allowed](const std::string& given) {
                return allowed.contains(given) ? std::string() : fmt::format("'{}' is not allowed; allowed are {}", given, names(allowed));
            },
            names(allowed)};
}

/// CLI11 by itself cuts numbers off at the ends of their type, takes negative ones for huge ones, and reads 0x10 and 010 its own way.
template <class N>
CLI::Validator whole_number(N lowest = std::numeric_limits<N>::min()) {
    return {[lowest](const std::string& given) {
                N number{};
                const auto [end, failure] = std::from_chars(given.data(), given.data() + given.size(), number);
                const bool is_good = failure == std::errc{} && end == given.data() + given.size() && number >= lowest;
                const bool is_octal = given.size() > 1 && given[given.front() == '-' ? 1 : 0] == '0' && given != "-0";
                return is_good && !is_octal ? std::string()
                                            : fmt::format("'{}' is not allowed; allowed are decimal whole numbers from {} to {}", given,
                                                          lowest, std::numeric_limits<N>::max());
            },
            "NUMBER"};
}

void add_range(CLI::App& command, Raw& raw) {
    command.add_option("--prefix", raw.prefix, "only keys that begin so");
    command.add_option("--begin", raw.begin, "first key, itself included");
    command.add_option("--end", raw.end, "end of the range, itself excluded");
}

Parser::Parser(const std::string& program) : app("tanist: the client of a replicated key-value database", program) {
    app.fallthrough();
    app.require_subcommand(0, 1);
    app.allow_extras();
    app.get_formatter()->column_width(28);
    app.footer(std::string(kFooter));
    app.set_version_flag("--version", "tanist " TANIST_VERSION);
    app.add_option("--connect", raw.connect, "HOST:PORT,… of one or several nodes (default 127.0.0.1:7401)");
    app.add_flag("--direct", raw.direct, "run on exactly the first of them: no discovery, no redirect");
    app.add_flag("--json", raw.json, "print JSON, errors too: {\"error\":{…}} on standard error");
    app.add_option("--user", raw.user, "who asks, where the cluster has users (default: TANIST_USER, else \"default\")");
    app.add_option("--password-file", raw.password_file,
                   "its first line is the password (default: TANIST_PASSWORD, else a terminal is asked)");
    app.add_option("--read-level", raw.read_level, "how fresh reads are")->check(one_of(kReadLevels));
    app.add_option("--write-level", raw.write_level, "how safe writes are before they are answered")->check(one_of(kWriteLevels));
    app.add_option("--timeout", raw.timeout, "how long a command may take, as 500ms, 5s, 2m (default 5s)")
        ->check(CLI::Validator(
            [](const std::string& given) {
                return parse_duration(given) ? std::string()
                                             : fmt::format("'{}' is no duration; allowed are 500ms, 5s, 2m and the like", given);
            },
            "DURATION"));

    auto* get = app.add_subcommand("get", "print the value of a key");
    get->add_option("KEY", raw.key)->required();
    get->add_flag("--raw", raw.raw, "the value's bytes as they are, and no newline behind");

    auto* put = app.add_subcommand("put", "set a key");
    put->add_option("KEY", raw.key)->required();
    put->add_option("VALUE", raw.first, "the value; - reads it from standard input");
    put->add_option("--file", raw.file, "reads the value from a file");

    auto* del = app.add_subcommand("del", "delete a key");
    del->add_option("KEY", raw.key)->required();
    auto* del_value = del->add_option("--if-value", raw.if_value, "only if it holds this value");
    del->add_option("--if-version", raw.version, "only if it is of this version")
        ->check(whole_number<std::uint64_t>())
        ->excludes(del_value);

    auto* cas =
        app.add_subcommand("cas", "set a key if it holds what is expected: cas KEY OLD NEW, cas KEY NEW --absent, cas KEY NEW --version N");
    cas->add_option("KEY", raw.key)->required();
    cas->add_option("OLD", raw.first, "the value expected (not with --absent or --version)")->required();
    cas->add_option("NEW", raw.second, "the new value");
    auto* absent = cas->add_flag("--absent", raw.absent, "the key must not exist");
    cas->add_option("--version", raw.version, "the key must be of this version")->check(whole_number<std::uint64_t>())->excludes(absent);

    auto* incr = app.add_subcommand("incr", "add to an integer, and print it");
    incr->add_option("KEY", raw.key)->required();
    incr->add_option("BY", raw.by, "what to add (default 1)")->check(whole_number<std::int64_t>());

    auto* scan = app.add_subcommand("scan", "print keys and values in order of the keys, as KEY<TAB>VALUE");
    add_range(*scan, raw);
    scan->add_option("PREFIX", raw.first, "the same as --prefix");
    scan->add_option("--limit", raw.limit, "at most so many (default: all)")->check(whole_number<std::uint64_t>(1));
    scan->add_flag("--keys-only", raw.keys_only, "without the values");

    auto* batch = app.add_subcommand("batch", "run several commands as one, under conditions");
    batch->add_option("FILE", raw.file, "where they are (default -: standard input)");
    batch->footer(std::string(kBatchFooter));

    app.add_subcommand("status", "show the nodes of the cluster");

    auto* switchover = app.add_subcommand("switchover", "hand mastership to another node, without a failed request");
    switchover->add_option("--to", raw.to, "id of the node (default: the most up-to-date slave)");

    auto* import_command = app.add_subcommand("import", "put all records of a file");
    import_command->add_option("FILE", raw.file, "- reads standard input")->required();
    import_command->add_option("--format", raw.format, "how they are written (default jsonl)")->check(one_of(kFormats));
    import_command->add_option("--prefix", raw.prefix, "put this before each key");
    import_command->add_flag("--skip-bad", raw.skip_bad, "report lines that are no records, and go on");
    import_command->footer(std::string(kImportFooter));

    auto* export_command = app.add_subcommand("export", "write all keys and values, or a range");
    add_range(*export_command, raw);
    export_command->add_option("FILE", raw.file, "where to (default -: standard output)");
    export_command->add_option("--format", raw.format, "how (default jsonl)")->check(one_of(kFormats));
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        if (comma > 0) out.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

Settings settings_of(const CLI::App& app, const Raw& raw, Settings settings) {
    if (app.count("--connect") > 0) settings.connect = split_list(raw.connect);
    settings.direct |= raw.direct;
    settings.json |= raw.json;
    if (app.count("--user") > 0) settings.user = raw.user;
    if (app.count("--password-file") > 0) settings.password_file = raw.password_file;
    if (app.count("--read-level") > 0) settings.read_level = kReadLevels.at(raw.read_level);
    if (app.count("--write-level") > 0) settings.write_level = kWriteLevels.at(raw.write_level);
    if (app.count("--timeout") > 0) settings.timeout = *parse_duration(raw.timeout);
    return settings;
}

Expected<Command> put_command(const CLI::App& given, Raw& raw) {
    PutCommand put{.key = std::move(raw.key)};
    const bool value = given.count("VALUE") > 0, file = given.count("--file") > 0;
    if (value == file)
        return usage("put: {}; allowed is put KEY VALUE, put KEY - or put KEY --file FILE", value ? "two values" : "the value is missing");
    if (file) {
        put.file = std::move(raw.file);
    } else if (raw.first == "-") {
        put.file = "-";
    } else {
        put.value = std::move(raw.first);
    }
    return put;
}

Expected<Command> cas_command(const CLI::App& given, Raw& raw) {
    const bool version = given.count("--version") > 0, second = given.count("NEW") > 0;
    if ((raw.absent || version) == second) {
        return usage("cas: {}; allowed is cas KEY OLD NEW, cas KEY NEW --absent or cas KEY NEW --version N",
                     second ? "--absent and --version stand in place of OLD" : "the new value is missing");
    }
    CasCommand cas{.key = std::move(raw.key), .value = std::move(second ? raw.second : raw.first), .expected = client::Absent{}};
    if (version) cas.expected = client::VersionIs{raw.version};
    if (second) cas.expected = client::ValueIs{std::move(raw.first)};
    return cas;
}

Expected<Command> command_of(const CLI::App& given, Raw& raw) {
    const std::string& name = given.get_name();
    const Format format = raw.format.empty() ? Format::kJsonl : kFormats.at(raw.format);
    const client::Scan range{.begin = raw.begin, .end = raw.end, .prefix = raw.prefix, .keys_only = raw.keys_only};
    if (name == "get") return GetCommand{raw.key, raw.raw};
    if (name == "put") return put_command(given, raw);
    if (name == "del") {
        DelCommand del{.key = raw.key};
        if (given.count("--if-value") > 0) del.if_value = raw.if_value;
        if (given.count("--if-version") > 0) del.if_version = raw.version;
        return del;
    }
    if (name == "cas") return cas_command(given, raw);
    if (name == "incr") return IncrCommand{raw.key, raw.by};
    if (name == "scan") {
        if (given.count("PREFIX") > 0 && given.count("--prefix") > 0) return usage("scan: two prefixes; allowed is one");
        ScanCommand scan{range, raw.limit};
        if (given.count("PREFIX") > 0) scan.range.prefix = raw.first;
        return scan;
    }
    if (name == "batch") return BatchCommand{raw.file.empty() ? "-" : raw.file};
    if (name == "status") return StatusCommand{};
    if (name == "switchover") return SwitchoverCommand{given.count("--to") > 0 ? std::optional(raw.to) : std::nullopt};
    if (name == "import") return ImportCommand{raw.file, format, raw.prefix, raw.skip_bad};
    return ExportCommand{range, format, raw.file.empty() ? "-" : raw.file};
}

std::string all_names() {
    std::string out;
    for (const auto name : command_names()) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
    return out;
}

}  // namespace

Expected<Invocation> parse_arguments(const std::vector<std::string>& words, const Settings& defaults) {
    Parser parser("tanist");
    CLI::App& app = parser.app;
    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // from the back, as CLI11 takes them
    } catch (const CLI::CallForHelp&) {
        return Invocation{defaults, ShowText{app.help()}};
    } catch (const CLI::CallForVersion& version) {
        return Invocation{defaults, ShowText{std::string(version.what()) + "\n"}};
    } catch (const CLI::ParseError& error) {
        return usage("{} (see --help)", error.what());
    }
    const auto commands = app.get_subcommands();
    auto extras = app.remaining(true);
    std::erase(extras, "--");  // CLI11 keeps it, though it has done its work
    if (!extras.empty()) {
        const std::string& extra = extras.front();
        if (!commands.empty())
            return usage("{}: '{}' is not expected (see tanist {} --help)", commands[0]->get_name(), extra, commands[0]->get_name());
        if (extra.starts_with('-') && extra.size() > 1) return usage("unknown option '{}' (see --help)", extra);
        return usage("unknown command '{}'; commands are {}", extra, all_names());
    }
    Invocation invocation{settings_of(app, parser.raw, defaults), ShellCommand{}};
    if (invocation.settings.connect.empty()) return usage("--connect: no address; allowed is HOST:PORT,HOST:PORT,…");
    if (commands.empty()) return invocation;
    auto command = command_of(*commands[0], parser.raw);
    if (!command) return tl::unexpected(command.error());
    invocation.command = std::move(*command);
    return invocation;
}

const std::vector<std::string_view>& command_names() {
    static const std::vector<std::string_view> kNames = {"get",   "put",    "del",        "cas",    "incr",  "scan",
                                                         "batch", "status", "switchover", "import", "export"};
    return kNames;
}

std::vector<std::string> option_names(std::string_view command) {
    const Parser parser("tanist");
    std::vector<std::string> names;
    const auto add = [&](const CLI::App& app) {
        for (const auto* option : app.get_options()) {
            for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        }
    };
    add(parser.app);
    if (std::ranges::find(command_names(), command) != command_names().end()) add(*parser.app.get_subcommand(std::string(command)));
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    return names;
}

}  // namespace tanist::cli
