// SPDX-License-Identifier: Apache-2.0
// The rows of Redis commands, one file a family, and the table that a port serves. To add a command, write its handler and its row.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/counters.h"

namespace tanist::server {

class RespSession;

namespace resp {

/// A command's words, its name first; views that end when the handler returns.
using Arguments = std::span<const std::string_view>;
/// Answers the command through the session, now or later, exactly once.
using Handler = void (*)(RespSession& session, Arguments arguments);

/// What COMMAND INFO tells and ACL rules go by, as Redis names it.
enum Flag : std::uint32_t {
    kWrite = 1u << 0,
    kReadOnly = 1u << 1,
    kDenyOom = 1u << 2,  ///< may make the data larger
    kAdmin = 1u << 3,
    kPubSub = 1u << 4,
    kNoScript = 1u << 5,
    kBlocking = 1u << 6,
    kLoading = 1u << 7,  ///< also while the node serves no reads
    kStale = 1u << 8,
    kSkipMonitor = 1u << 9,
    kFast = 1u << 10,
    kNoAuth = 1u << 11,  ///< also before AUTH
    kNoMulti = 1u << 12,
    kMovableKeys = 1u << 13,
    kAllowBusy = 1u << 14,
    kNoAsyncLoading = 1u << 15,
    kSkipSlowlog = 1u << 16,
    // Ours, not told as flags:
    kDangerous = 1u << 24,           ///< in ACL category @dangerous beyond those that kAdmin puts there
    kCategoryAdmin = 1u << 27,       ///< in ACL category @admin, and no flag says so
    kCategoryConnection = 1u << 28,  ///< in ACL category @connection, whatever its group
    kSecret = 1u << 26,              ///< its words may be passwords: MONITOR and SLOWLOG do not show it
    kOnSentinel = 1u << 25,          ///< served on the Sentinel port, too
};

/// Which words are keys, as COMMAND INFO counts: `last` from the end where negative; first 0: none, or another row of its own tells.
struct KeyWords {
    int first = 0, last = 0, step = 0;
};

enum class Group : std::uint8_t { kGeneric, kString, kBitmap, kTransactions, kConnection, kPubSub, kServer, kSentinel, kTanist };

struct Command {
    std::string_view name;  ///< in capitals; of a subcommand its own word
    int arity;              ///< as Redis counts: the words, name included; negative: at least so many
    RequestKind kind;
    Handler handler;  ///< null: there are only subcommands
    std::uint32_t flags = 0;
    KeyWords keys = {};
    Group group = Group::kServer;
    std::span<const Command> subcommands = {};
};

// One family each.
[[nodiscard]] std::span<const Command> acl_commands();
[[nodiscard]] std::span<const Command> connection_commands();
[[nodiscard]] std::span<const Command> client_commands();
[[nodiscard]] std::span<const Command> command_commands();
[[nodiscard]] std::span<const Command> config_commands();
[[nodiscard]] std::span<const Command> monitoring_commands();
[[nodiscard]] std::span<const Command> pubsub_commands();
[[nodiscard]] std::span<const Command> debug_commands();
[[nodiscard]] std::span<const Command> server_commands();
[[nodiscard]] std::span<const Command> data_commands();
[[nodiscard]] std::span<const Command> transaction_commands();
[[nodiscard]] std::span<const Command> tanist_commands();

/// What a port serves. Built once; rows stay where they are.
class CommandTable {
public:
    struct Row {
        const Command* command = nullptr;
        std::string name;       ///< in lower case, a subcommand behind its container: "client|list"
        std::size_t index = 0;  ///< in all(): for what is counted by command
        std::vector<const Row*> subcommands = {};

        [[nodiscard]] bool has(Flag flag) const { return (command->flags & flag) != 0; }
    };

    /// Rows of a later family take the place of earlier ones of the same name. `needed`: only rows with this flag; 0: all.
    struct Family {
        std::span<const Command> commands;
        std::uint32_t needed = 0;
    };
    explicit CommandTable(std::initializer_list<Family> families);
    CommandTable(const CommandTable&) = delete;
    CommandTable& operator=(const CommandTable&) = delete;

    /// By name in any letter case, "client" or "client|list"; null: unknown.
    [[nodiscard]] const Row* find(std::string_view name) const;
    /// The same for the first word of a command, which is never "client|list".
    [[nodiscard]] const Row* find_command(std::string_view name) const;
    /// The row that runs these words: of the subcommand, where there is one of that name.
    [[nodiscard]] const Row* find(Arguments words) const;
    /// The subcommand of a row; null: it has none of that name.
    [[nodiscard]] static const Row* find(const Row& container, std::string_view subcommand);
    /// Commands and, each behind its container, subcommands.
    [[nodiscard]] const std::deque<Row>& all() const { return rows_; }
    /// Commands alone, in the order of their families.
    [[nodiscard]] const std::vector<const Row*>& commands() const { return commands_; }

private:
    void add(const Command& command);

    std::deque<Row> rows_;
    std::vector<const Row*> commands_;
    std::unordered_map<std::string_view, const Row*> by_name_;
};

/// What the client port serves.
[[nodiscard]] const CommandTable& client_port_commands();

[[nodiscard]] bool takes(const Command& command, std::size_t words);
/// The keys among its words; as many as there are where words are missing.
[[nodiscard]] std::vector<std::string_view> keys_of(const Command& command, Arguments words);

/// Whether `word` is `capitals` in any letter case.
[[nodiscard]] bool is_word(std::string_view word, std::string_view capitals);
[[nodiscard]] std::string lower(std::string_view word);
[[nodiscard]] std::string upper(std::string_view word);

// Errors as Redis words them.
[[nodiscard]] std::string unknown_command(Arguments arguments);
[[nodiscard]] std::string unknown_subcommand(Arguments arguments);
/// Of a subcommand that takes fewer words than these.
[[nodiscard]] std::string wrong_subcommand(Arguments arguments);
/// `name` as in CommandTable::Row, or in capitals.
[[nodiscard]] std::string wrong_arity(std::string_view name);

}  // namespace resp
}  // namespace tanist::server
