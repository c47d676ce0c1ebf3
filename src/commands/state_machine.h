// SPDX-License-Identifier: Apache-2.0
// Applies committed entries to the store: deterministic, so every node that applied the same log holds the same state.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/entry.h"
#include "base/membership.h"
#include "base/result.h"
#include "commands/key_counts.h"
#include "commands/key_events.h"
#include "commands/request.h"
#include "commands/users.h"
#include "store/store.h"

namespace tanist::commands {

/// What applying one entry gave, one outcome a logged item; empty for entries that are no commands.
struct Applied {
    /// A request that came with a session.
    struct Numbered {
        std::size_t item = 0;  ///< its place among the outcomes
        SessionId session;
        std::uint64_t sequence = 0;
    };
    EntryId entry;
    std::vector<Outcome> outcomes;
    std::vector<Numbered> numbered;  ///< ascending by item
};

struct StoredValue {
    std::string value;
    Version version;
};

struct KeyRange {
    std::string begin;  ///< first key, inclusive
    std::string end;    ///< exclusive; empty: no upper bound
    std::size_t rows_max = 1000;
    std::size_t bytes_max = 1 << 20;
};
struct KeyValue {
    std::string key, value;
    Version version;
};
struct Page {
    std::vector<KeyValue> rows;       ///< ascending by key
    std::optional<std::string> next;  ///< begin of the next page; nullopt: this was the last
};

/// One thread. Content never ends the process: what cannot be executed yields a deterministic outcome (S12). A Status error comes
/// from the store, or from a log that does not belong to it, and is final (S4).
class StateMachine {
public:
    /// Reads position, membership and sessions from `store`, which must outlive this.
    [[nodiscard]] static Result<std::unique_ptr<StateMachine>> open(store::Store& store);
    virtual ~StateMachine() = default;

    /// Applies entries that follow position() without a gap (an entry applied before is the caller's bug: it starts behind
    /// position()), each within one atomic store write, or several in one. kCorrupt: the first is of another history than the state.
    /// Appends what came of them to `out`, unless it is null (a slave has nobody to answer).
    [[nodiscard]] virtual Status apply(std::span<const Entry> entries, std::vector<Applied>* out) = 0;

    /// The next entries that will be applied soon, some at a time; in the end none.
    using NextEntries = std::function<std::vector<Entry>()>;
    using TimeLeft = std::function<std::chrono::milliseconds()>;
    /// Has the store look for their keys together, as far as that gets while there is time. An optimisation only. The keys take an eighth
    /// of the memory that the store may fill; more are looked for in several steps.
    virtual void warm(const NextEntries& next, const TimeLeft& time_left) = 0;

    [[nodiscard]] virtual store::Position position() const = 0;
    /// The membership of the last kMembership entry applied; nullopt before the first.
    [[nodiscard]] virtual const std::optional<Membership>& membership() const = 0;
    /// The log time at which something falls due (a session or a key expires), 0: nothing is. The master then logs a tick (S22).
    [[nodiscard]] virtual std::uint64_t next_due() const = 0;
    [[nodiscard]] virtual std::size_t sessions() const = 0;
    [[nodiscard]] virtual const KeyCounts& key_counts() const = 0;
    [[nodiscard]] virtual KeyStatistics statistics() const = 0;
    /// From here on appends to `events`, which whoever listens empties, what happens to keys; null: nobody listens.
    virtual void watch(std::vector<KeyEvent>* events) = 0;
    /// Those of the cluster, as of the last entry applied.
    [[nodiscard]] virtual const Users& users() const = 0;

    // Reads see everything applied; keys whose deadline is at or before the last applied entry's timestamp are not there (S22). While the
    // store shares its reads, several threads may call all of them at a time that look at no more keys than they name.
    [[nodiscard]] virtual Result<std::optional<StoredValue>> get(std::string_view key) const = 0;
    /// As store::Store::read(): visits what users stored under `keys`, in order, without copying it; the views are valid during a call.
    using Visit = std::function<void(std::optional<std::string_view> value)>;
    [[nodiscard]] virtual Result<std::size_t> visit_many(std::span<const std::string_view> keys, std::size_t bytes_max,
                                                         const Visit& visit) const = 0;
    /// Maybe fewer answers than keys, as store::Store::get_many().
    [[nodiscard]] virtual Result<std::vector<std::optional<StoredValue>>> get_many(std::span<const std::string_view> keys,
                                                                                   std::size_t bytes_max = store::kNoBound) const = 0;
    /// get() and get_many() serve the server itself, too: who answers a client with what they found says so, for statistics(). The other
    /// reads count by themselves.
    virtual void count_told(std::span<const std::optional<StoredValue>> values) const = 0;
    [[nodiscard]] virtual Result<Page> scan(const KeyRange& range) const = 0;
    /// What a Redis command that changes nothing answers from this state. `clock`: log time as it would be now, of which replies that
    /// tell time are made; `random`: anything.
    [[nodiscard]] virtual Result<Reply> read(std::span<const std::string_view> words, std::uint64_t clock, std::uint64_t random) const = 0;

    /// After the store was replaced by an installed checkpoint (S25): reads position, membership and sessions anew.
    [[nodiscard]] virtual Status reload() = 0;
};

}  // namespace tanist::commands
