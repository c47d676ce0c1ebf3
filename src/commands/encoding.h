// SPDX-License-Identifier: Apache-2.0
// The payload of an entry of commands, read without copying: its items as views into it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "commands/request.h"

namespace tanist::commands {

/// A payload is items, one behind the other. Integers are varints, strings a varint length and the bytes:
///   bytes        of the rest of the item
///   u8 kind      ItemKind; a new layout of an old kind gets a new number, so that old entries stay readable
///   request:     session, sequence, lowest_unanswered,
///                number of conditions, each: u8 ConditionKind, key, then value (kValueEquals) or version (kVersionEquals)
///                number of commands, each: u8 CommandKind, key, then value (kPut) or by, zigzag (kIncrement);
///                             of kRedis instead: number of words, each word
///   register:    lifetime_ms
///   keep:        session, lowest_unanswered
///   close:       session
///   users:       expected, u8 replaces_all, number of users, each: u8 1 (gone) or 0, name, then line (of one that is not gone)
enum class ItemKind : std::uint8_t { kRequest = 1, kRegister = 2, kKeep = 3, kClose = 4, kUsers = 5 };
/// In the order of the alternatives of Condition and Command.
enum class ConditionKind : std::uint8_t { kKeyExists = 1, kKeyAbsent, kValueEquals, kVersionEquals };
enum class CommandKind : std::uint8_t { kPut = 1, kDelete, kIncrement, kGet, kRedis };

struct ConditionView {
    ConditionKind kind;
    std::string_view key, value;
    Version version;
};
struct CommandView {
    CommandKind kind;
    std::string_view key, value;
    std::int64_t by = 0;
    std::uint32_t first_word = 0, words = 0;  ///< of Item::words: kRedis
};
struct UserView {
    bool is_gone = false;
    std::string_view name, line;
};

/// One item; fields that its kind does not have are zero. Filled again and again, to keep the vectors' memory.
struct Item {
    ItemKind kind = ItemKind::kRequest;
    SessionId session;
    std::uint64_t sequence = 0, lowest_unanswered = 0, lifetime_ms = 0;
    std::vector<ConditionView> conditions;
    std::vector<CommandView> commands;
    std::vector<std::string_view> words;  ///< of all Redis commands
    bool too_many_parts = false;          ///< more than kPartsPerRequestMax or kWordsPerRequestMax: those beyond were read, and left out
    Lsn expected;                         ///< kUsers, like the next
    bool replaces_all = false;
    std::vector<UserView> users;

    [[nodiscard]] std::span<const std::string_view> words_of(const CommandView& command) const {
        return std::span(words).subspan(command.first_word, command.words);
    }
};

/// Appends a request of this one command, which is not of Redis's, as append_to() would, from where its words lie.
void append_request(std::string& payload, const CommandView& command);

/// Steps through a payload, which must outlive the views.
class ItemReader {
public:
    explicit ItemReader(std::string_view payload) : reader_(payload) {}

    /// The next item; false at the end, and for good at the first one that cannot be decoded: then ok() is false.
    [[nodiscard]] bool next(Item& item);
    [[nodiscard]] bool ok() const { return ok_ && reader_.ok(); }

private:
    ByteReader reader_;
    bool ok_ = true;
};

}  // namespace tanist::commands
