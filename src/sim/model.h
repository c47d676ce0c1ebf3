// SPDX-License-Identifier: Apache-2.0
// The state machine once more, as simply as it can be said and never forgetting: what each committed entry should have done.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "commands/request.h"
#include "commands/users.h"

namespace tanist::sim {

class Model {
public:
    /// A key's state from the entry `since` on.
    struct Cell {
        Lsn since;
        std::optional<std::string> value;  ///< nullopt: deleted
        commands::Version version;
    };

    /// Executes the next committed entry.
    void apply(const Entry& entry);

    [[nodiscard]] Lsn applied() const { return {outcomes_.size()}; }
    /// What came of each logged item of the entry at `lsn`. `replayed` marks those that were executed before.
    [[nodiscard]] std::span<const commands::Outcome> outcomes(Lsn lsn) const { return outcomes_.at(lsn.value - 1); }
    /// The key as of `lsn`; null: it did not exist.
    [[nodiscard]] const Cell* at(std::string_view key, Lsn lsn) const;
    /// All keys in [begin, end) that existed as of `lsn`, ascending.
    [[nodiscard]] std::vector<std::pair<std::string_view, const Cell*>> range(std::string_view begin, std::string_view end, Lsn lsn) const;

private:
    struct Session {
        std::uint64_t lifetime_ms = 0, deadline = 0, lowest_unanswered = 1;
        std::map<std::uint64_t, commands::Outcome> executed;
    };

    [[nodiscard]] const Cell* latest(std::string_view key) const;
    commands::Outcome run(const commands::Logged& logged);
    commands::Outcome run_in_session(const commands::Request& request);
    commands::Outcome evaluate(const commands::Request& request);
    [[nodiscard]] bool holds(const commands::Condition& condition) const;
    /// Of the words that the clients here send: SET k v PX n, GET k, INCRBY k n, PERSIST k.
    commands::Reply run_words(const std::vector<std::string>& words);
    /// `deadline` 0: none.
    commands::Version change(const std::string& key, std::optional<std::string> value, std::uint64_t deadline = 0);
    void remove_what_is_due();
    [[nodiscard]] std::uint64_t deadline_of(std::string_view key) const;
    void set_deadline(const std::string& key, std::uint64_t deadline);
    /// What the request that failed has changed.
    void take_back();

    std::vector<std::vector<commands::Outcome>> outcomes_;        ///< by LSN, from 1 on
    std::map<std::string, std::vector<Cell>, std::less<>> keys_;  ///< each key's history, one cell an entry
    std::map<SessionId, Session> sessions_;
    commands::Users users_;
    std::map<std::string, std::uint64_t, std::less<>> deadlines_;  ///< of the keys that have one
    std::uint64_t now_ = 0;
    // Of the entry that is being executed.
    Lsn lsn_;
    std::uint64_t registrations_ = 0;
    std::map<std::string, std::uint64_t, std::less<>> changed_by_;  ///< the last request that changed a key
    std::uint64_t request_ = 0;
    struct Undo {
        std::string key;
        std::optional<Cell> cell;  ///< of this entry, which the change replaced
        std::uint64_t by = 0;
        std::uint64_t deadline = 0;
    };
    std::vector<Undo> undo_;
};

/// The key that a condition is about.
[[nodiscard]] const std::string& key_of(const commands::Condition& condition);

}  // namespace tanist::sim
