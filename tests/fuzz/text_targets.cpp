// SPDX-License-Identifier: Apache-2.0
// What people write: configuration, users' rules, lines of the command-line client and of what it imports.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <sstream>

#include "base/ensure.h"
#include "cli/batch.h"
#include "cli/records.h"
#include "cli/words.h"
#include "config/load.h"
#include "server/resp/acl.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace tanist::fuzz {
namespace {

using Seeds = std::vector<std::string>;

// -- configuration -----------------------------------------------------------------------------------------------------------

/// A file that lies in memory; one for the whole process.
class TextFile {
public:
    TextFile() : handle_(::memfd_create("config.toml", 0)) { ENSURE(handle_ >= 0); }
    std::string write(std::string_view text) const {
        ENSURE(::ftruncate(handle_, 0) == 0);
        ENSURE(::pwrite(handle_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
        return "/proc/self/fd/" + std::to_string(handle_);
    }

private:
    int handle_;
};

/// What is taken is valid; what is not, is told. The first lines that begin with '=' are settings of the command line.
void run_config(Bytes input) {
    static const TextFile kFile;
    std::string_view text = as_text(input);
    config::LoadRequest request;
    while (text.starts_with('=')) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        request.settings.emplace_back(text.substr(1, end - 1));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    request.file = kFile.write(text);
    const auto loaded = config::load_config(request);
    if (loaded) {
        ENSURE(config::validate(*loaded).has_value());
        ENSURE(config::reloadable_changes(*loaded, *loaded).applied.empty());
    } else {
        ENSURE(loaded.error().code == ErrorCode::kInvalidArgument && !loaded.error().message.empty());
    }
}

Seeds config_seeds() {
    const std::string node = "[node]\nid = 1\nrole = \"master\"\ndata_dir = \"d\"\n";
    const std::string listen = "[listen]\nclient = \"127.0.0.1:7401\"\npeer = \"[::1]:7501\"\nhttp = \"a:7601\"\n";
    const std::string cluster = "[cluster]\nname = \"demo\"\nnodes = [\"1@[::1]:7501\"]\n";
    return {node + listen + cluster, "=failover.heartbeat_ms=20\n=reads.level=\"stale\"\n" + node + listen + cluster,
            node + listen + cluster + "[failover]\nheartbeat_ms = 1_000\nelection_timeout_ms = 0x1388\n[wal]\nretention_bytes = 1e9\n",
            "node = { id = 1, role = 'slave' }\nnode.more.deep = [[1], {a = 1979-05-27T07:32:00Z}]\n\"\" = \"\"\"\nx\"\"\"\n",
            "[node]\nid = -1\nid = 2\n[[node]]\n"};
}

// -- users -------------------------------------------------------------------------------------------------------------------

/// What is read is written so that it reads the same again; and any words may be held against the rules.
void run_acl(Bytes bytes) {
    const auto& commands = server::resp::client_port_commands();
    Input input(bytes);
    std::vector<std::string> owned;
    for (std::size_t count = input.below(4); count > 0; --count) owned.push_back(input.text());
    server::resp::Acl acl({&commands});
    if (const Status read = acl.read(as_text(input.rest())); !read) {
        ENSURE(!read.error().message.empty());
        return;
    }
    const std::string text = acl.text();
    server::resp::Acl again({&commands});
    ENSURE(again.read(text).has_value());
    ENSURE(again.text() == text);
    const std::vector<std::string_view> words(owned.begin(), owned.end());
    const auto* row = words.empty() ? nullptr : commands.find(server::resp::Arguments(words));
    if (row == nullptr) return;
    for (const auto& [name, user] : acl.users()) {
        const auto denied = user->deny(*row, words), denied_again = again.find(name)->deny(*row, words);
        ENSURE(denied.has_value() == denied_again.has_value());
        ENSURE(!denied || denied->explanation() == denied_again->explanation());
    }
}

Seeds acl_seeds() {
    const std::string get("\x02\x03GET\x01k", 7), set("\x03\x03SET\x02k1\x01v", 11),
        config(
            "\x02\x06"
            "CONFIG\x03GET",
            12);
    return {get + "user default on nopass ~* &* +@all\nuser u on >x ~k* %R~r* &c* +@all -config +config|get -@dangerous\n",
            set + "user u off resetkeys allkeys nocommands +set +@string -@write\n",
            config + "user a reset on #2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 +client|id\n",
            std::string(1, '\0') + "user x on +nosuch\n"};
}

// -- the command-line client ---------------------------------------------------------------------------------------------------

/// A record that is taken is written so that it reads the same again. The first byte chooses the format.
void run_records(Bytes bytes) {
    Input input(bytes);
    const cli::Format format = input.flag() ? cli::Format::kTsv : cli::Format::kJsonl;
    std::istringstream in{std::string(as_text(input.rest()))};
    for (cli::LineReader lines(in); lines.next();) {
        const auto record = cli::parse_record(lines.line(), format);
        if (!record) {
            ENSURE(!record.error().message.empty());
            continue;
        }
        std::string line;
        cli::append_record(line, record->key, record->value, format);
        ENSURE(line.find('\n') == line.size() - 1);
        line.pop_back();
        const auto again = cli::parse_record(line, format);
        ENSURE(again.has_value());
        ENSURE(*again == *record);
    }
}

Seeds record_seeds() {
    return {std::string(1, '\0') + R"({"key":"a","value":"b"})" + "\n" + R"({"value_b64":"/w==","key":"\u00e4\ud83d\ude00\n"})" + "\r\n",
            std::string(1, '\0') + R"( { "key" : "" , "value" : "\\\"" } )", std::string(1, '\0') + R"({"key":"a","key":"b","value":1}x)",
            "\1a\tb\\t\\x00\\\\\nx\ty\tz\n\n"};
}

void run_batch(Bytes input) {
    const std::string_view text = as_text(input);
    if (const auto batch = cli::parse_batch(text); !batch) ENSURE(!batch.error().message.empty());
    if (const auto words = cli::split_words(text); !words) ENSURE(!words.error().message.empty());
}

Seeds batch_seeds() {
    return {"put k v\nget k\ndel \"a \\x00b\"\nincr n 5\n", "if-exists k\nif-value k 'v w'\nput k \\ \\t # comment\n", "put 'open\n"};
}

constexpr std::array kTargets = {
    Target{"config", run_config, config_seeds},
    Target{"acl", run_acl, acl_seeds},
    Target{"records", run_records, record_seeds},
    Target{"batch", run_batch, batch_seeds},
};

}  // namespace

std::span<const Target> text_targets() { return kTargets; }

}  // namespace tanist::fuzz
