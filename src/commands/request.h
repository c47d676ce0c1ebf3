// SPDX-License-Identifier: Apache-2.0
// What clients ask to be changed, as it is logged: an atomic request of conditions and commands, evaluated when applied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/types.h"
#include "commands/redis/reply.h"

namespace tanist::commands {

/// The version of a key: the LSN of its last change; 0: the key does not exist. Where several requests of one entry change the same
/// key, each after the first adds kOrdinalStep: no two changes of a key have the same version, so nobody who compares with the
/// version that he was answered overlooks a change that came later in that entry.
using Version = Lsn;

inline constexpr unsigned kLsnBits = 44;  ///< enough for 55 years of 10,000 entries a second
inline constexpr std::uint64_t kOrdinalStep = std::uint64_t{1} << kLsnBits;
[[nodiscard]] constexpr Lsn lsn_of(Version version) { return {version.value & (kOrdinalStep - 1)}; }
/// The id of a session is made likewise: the LSN of its registration, plus kOrdinalStep for each registration before it in the entry.
[[nodiscard]] constexpr Lsn lsn_of(SessionId session) { return {session.value & (kOrdinalStep - 1)}; }

// -- conditions: all are checked, against the state before the request, before any of its commands runs ------------------
struct KeyExists {
    std::string key;
    friend bool operator==(const KeyExists&, const KeyExists&) = default;
};
struct KeyAbsent {
    std::string key;
    friend bool operator==(const KeyAbsent&, const KeyAbsent&) = default;
};
struct ValueEquals {
    std::string key, value;
    friend bool operator==(const ValueEquals&, const ValueEquals&) = default;
};
struct VersionEquals {
    std::string key;
    Version version;
    friend bool operator==(const VersionEquals&, const VersionEquals&) = default;
};
using Condition = std::variant<KeyExists, KeyAbsent, ValueEquals, VersionEquals>;

// -- commands: run in order, each seeing what those before it did ----------------------------------------------------------
struct Put {
    std::string key, value;
    friend bool operator==(const Put&, const Put&) = default;
};
struct Delete {
    std::string key;
    friend bool operator==(const Delete&, const Delete&) = default;
};
/// Adds to a decimal signed 64-bit integer, as Redis does: a missing key counts as 0; not an integer or an overflow is an error.
struct Increment {
    std::string key;
    std::int64_t by = 1;
    friend bool operator==(const Increment&, const Increment&) = default;
};
struct Get {
    std::string key;
    friend bool operator==(const Get&, const Get&) = default;
};
/// A command of Redis's in its words, the name in capitals first (redis/table.h). Its reply may be an error, which ends neither it nor
/// its request: the commands behind it run, as in Redis's transactions.
struct Redis {
    std::vector<std::string> words;
    friend bool operator==(const Redis&, const Redis&) = default;
};
using Command = std::variant<Put, Delete, Increment, Get, Redis>;

/// Conditions and commands of one request, together.
inline constexpr std::size_t kPartsPerRequestMax = 65'536;
/// Words of all Redis commands of one request, as many as Redis takes.
inline constexpr std::size_t kWordsPerRequestMax = 1024 * 1024;
/// Bytes of values that one request, and all requests of one entry, can be answered.
inline constexpr std::size_t kResultBytesPerRequestMax = limits::kRequestBytesMax;
inline constexpr std::size_t kResultBytesPerEntryMax = 4 * limits::kRequestBytesMax;

/// One request: all of it happens or nothing. Several requests make the payload of one entry.
struct Request {
    /// Exactly once (S21). Session 0: none, executed each time it is logged.
    SessionId session;
    std::uint64_t sequence = 0;           ///< 1, 2, 3 … within the session
    std::uint64_t lowest_unanswered = 0;  ///< the client has the replies of all below: they can be forgotten
    std::vector<Condition> conditions;
    std::vector<Command> commands;

    friend bool operator==(const Request&, const Request&) = default;
};
/// Numbers from `lowest_unanswered` on that a session may be using at a time.
inline constexpr std::uint64_t kSessionWindow = 1024;
/// A longer reply is not kept: sent again, its request is answered kAnswerForgotten (S21). Of a session's replies together, likewise.
inline constexpr std::size_t kKeptReplyBytesMax = 1 * limits::kKiB;
inline constexpr std::size_t kKeptRepliesBytesMax = 64 * limits::kKiB;
inline constexpr std::size_t kSessionsMax = 100'000;                      ///< in a cluster; further registrations are refused
inline constexpr std::uint64_t kSessionLifetimeMs = 60'000;               ///< of a session that asks for 0
inline constexpr std::uint64_t kSessionLifetimeMsMax = 24 * 60 * 60'000;  ///< one that asks for more gets this

/// Session control, logged like requests. A session lives for its lifetime after its last logged request or keep, by log time.
struct RegisterSession {
    std::uint64_t lifetime_ms = 0;
    friend bool operator==(const RegisterSession&, const RegisterSession&) = default;
};
struct KeepSession {
    SessionId session;
    std::uint64_t lowest_unanswered = 0;
    friend bool operator==(const KeepSession&, const KeepSession&) = default;
};
struct CloseSession {
    SessionId session;
    friend bool operator==(const CloseSession&, const CloseSession&) = default;
};

/// Changes users of the cluster (users.h), as whoever proposes it made of those that it knew: where these are others by now, nothing is
/// changed, and kConditionFailed is answered.
struct ChangeUsers {
    struct User {
        std::string name;
        std::optional<std::string> line;  ///< nullopt: is no user any more
        friend bool operator==(const User&, const User&) = default;
    };
    Lsn expected;               ///< Users::changed
    bool replaces_all = false;  ///< whoever is not named is no user any more
    std::vector<User> users;
    friend bool operator==(const ChangeUsers&, const ChangeUsers&) = default;
};
inline constexpr std::size_t kUsersMax = 10'000;
inline constexpr std::size_t kUsersBytesMax = 4 * limits::kMiB;  ///< of all names and lines

using Logged = std::variant<Request, RegisterSession, KeepSession, CloseSession, ChangeUsers>;

/// Appends one logged item to an entry's payload, length first. A payload is such items, one behind the other.
void append_to(std::string& payload, const Logged& logged);
/// kCorrupt when any item cannot be decoded.
[[nodiscard]] Result<std::vector<Logged>> decode_payload(std::string_view payload);
/// What a client's request must keep to be logged (S12): kInvalidArgument names the part and the limit. One that passes it is not
/// answered kTooLarge for what it brings, only for what it would be answered.
[[nodiscard]] Status check_limits(const Logged& logged);
/// The largest key and the largest value that a request brings; each word of a Redis command that is no key counts as a value.
struct LargestParts {
    std::size_t key_bytes = 0, value_bytes = 0;
};
[[nodiscard]] LargestParts largest_parts(const Request& request);
/// How many words its Redis commands have.
[[nodiscard]] std::size_t count_words(const Request& request);
/// Bytes that append_to() would add.
[[nodiscard]] std::size_t encoded_bytes(const Logged& logged);

// -- what became of it -----------------------------------------------------------------------------------------------------
enum class OutcomeCode : std::uint8_t {
    kDone = 1,
    kConditionFailed,  ///< nothing was changed; `failed_condition`, and `value`/`version` of its key then
    kNotAnInteger,     ///< nothing was changed: Increment met a value that is no signed 64-bit decimal
    kOverflow,         ///< nothing was changed: Increment would leave the signed 64 bits
    kTooLarge,         ///< nothing was changed: a key, value, or what was to be answered would pass its limit
    kSessionExpired,   ///< unknown session: nothing was changed now; whether an earlier sending was executed is not known
    kAnswerForgotten,  ///< the sequence number was confirmed as answered (`version` 0), or its reply was too large to keep: done at
                       ///< `version`
    kTooMany,    ///< nothing was changed and nothing remembered, so the same can be sent again later: beyond the session's window, too
                 ///< many sessions, or one key changed by more than a million requests of one entry
    kMalformed,  ///< nothing was changed: the entry's payload cannot be decoded; the only outcome of the entry
};

/// The answer to one command; `version` is the key's after it (of Get: its version; 0: no such key).
struct CommandResult {
    std::optional<std::string> value;  ///< Get: the value, if any. Increment: the new value
    Version version;
    bool found = false;  ///< Get, Delete, Increment: the key was there before. Put does not look, to cost no read: false
    std::shared_ptr<const Reply> reply = nullptr;  ///< Redis: all there is

    friend bool operator==(const CommandResult& a, const CommandResult& b) {
        const bool same_reply = a.reply && b.reply ? *a.reply == *b.reply : a.reply == b.reply;
        return same_reply && a.value == b.value && a.version == b.version && a.found == b.found;
    }
};

struct Outcome {
    OutcomeCode code = OutcomeCode::kDone;
    std::uint32_t failed_condition = 0;  ///< index; with kConditionFailed
    std::optional<std::string> value;    ///< of the failed condition's key; left out, with `version` there, when too large to answer
    Version version;                     ///< of the failed condition's key; of a done request: its LSN; of a new session: its id
    std::vector<CommandResult> results;  ///< one a command, when done
    bool replayed = false;               ///< answered from the session's replies: had been executed before

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

}  // namespace tanist::commands
