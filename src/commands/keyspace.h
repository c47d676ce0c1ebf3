// SPDX-License-Identifier: Apache-2.0
// Users' keys as the commands of one write see them: the store's rows, under the changes that are not yet written to it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "commands/key_counts.h"
#include "commands/key_events.h"
#include "commands/key_table.h"
#include "commands/request.h"
#include "store/store.h"

namespace tanist::commands {

/// A value that is borrowed from the entry that brings it, or owned where it was computed or read.
class Value {
public:
    Value() = default;
    [[nodiscard]] static Value borrowed(std::string_view bytes) {
        Value value;
        value.borrowed_ = bytes;
        return value;
    }
    [[nodiscard]] static Value owned(std::string bytes) {
        Value value;
        value.owned_ = std::move(bytes);
        return value;
    }
    [[nodiscard]] std::string_view bytes() const { return owned_ ? std::string_view(*owned_) : borrowed_; }

private:
    std::string_view borrowed_;
    std::optional<std::string> owned_;
};

/// Keys and borrowed values are views: what they point into must live until take_changes().
/// A failure of the store is kept in status(); reads behind it find nothing, and nothing that came of them may be written.
class Keyspace {
public:
    struct Row {
        bool exists = false;
        bool changed = false;               ///< differs from the store, and will be written
        Version last_change;                ///< of a row that was deleted in this write: of its deletion
        std::uint64_t changed_by = 0;       ///< the request that did, to tell it from others of its entry
        std::uint64_t deadline = 0;         ///< log time from which on there is no such key; 0: none
        std::uint64_t stored_deadline = 0;  ///< as the store has it: names the row by which it is found when due
        bool has_value = true;              ///< false: nobody has asked for the value yet
        Value value;

        [[nodiscard]] Version version() const { return exists ? last_change : Version{}; }
    };

    /// `counts`: of what the store has, where open() is not called to find out.
    explicit Keyspace(const store::Store& store, const KeyCounts& counts = {}) : store_(store), counts_(counts) {}

    /// Reads what it has to know of the store; again when that was replaced.
    [[nodiscard]] Status open();

    /// Keys whose deadline is at or before `now` are not there for anyone from here on.
    void begin_entry(Lsn lsn, std::uint64_t now);
    [[nodiscard]] Lsn lsn() const { return lsn_; }
    [[nodiscard]] std::uint64_t now() const { return now_; }
    /// Everything until the next begin_request() is one request's doing. `undoable`: undo_request() may be called.
    void begin_request(bool undoable);
    /// Takes back what the request has changed.
    void undo_request();
    /// The request has changed a key too often (see put()), and is to be undone.
    [[nodiscard]] bool ran_over() const { return ran_over_; }

    /// Reads what is not yet known of `keys` in one go, and of `overwritten` all but their values; it is an optimisation only. Reads less
    /// where that would take much memory.
    void prefetch(std::span<const std::string_view> keys, std::span<const std::string_view> overwritten);

    /// The row as of now, valid until the next call of any other function.
    [[nodiscard]] const Row& find(std::string_view key);
    /// The same, whoever does not need the value.
    [[nodiscard]] bool exists(std::string_view key);
    /// The version it got; nullopt: changed too often in this entry, nothing was done (see Version). `deadline`: behind now(), or 0.
    [[nodiscard]] std::optional<Version> put(std::string_view key, Value value, std::uint64_t deadline = 0);
    [[nodiscard]] std::optional<Version> erase(std::string_view key);
    void erase_all();

    struct KeyPage {
        std::vector<std::string> keys;    ///< ascending
        std::optional<std::string> next;  ///< begin of the next page; nullopt: this was the last
    };
    /// Up to `rows_max` keys of the store from `begin` on, and those between that were changed since.
    [[nodiscard]] KeyPage page(std::string_view begin, std::size_t rows_max);

    [[nodiscard]] const KeyCounts& counts() const { return counts_; }

    /// While it is on, changes() has what was put, erased or fell due, in order, until it is cleared.
    void note_changes(bool on) { notes_changes_ = on; }
    [[nodiscard]] std::vector<KeyChange>& changes() { return noted_; }
    /// Keys that were looked for, there or not; those that a command has told of since take_told(); and those that fell due.
    struct Lookups {
        std::uint64_t hits = 0, misses = 0;
    };
    [[nodiscard]] const Lookups& lookups() const { return lookups_; }
    /// What was looked for since `before` counts as told.
    void count_told(const Lookups& before) {
        told_.hits += lookups_.hits - before.hits;
        told_.misses += lookups_.misses - before.misses;
    }
    [[nodiscard]] Lookups take_told() { return std::exchange(told_, {}); }
    [[nodiscard]] std::uint64_t expired() const { return expired_; }

    /// No key falls due before this; 0: none ever. It may be too early, never too late.
    [[nodiscard]] std::uint64_t first_deadline() const { return first_deadline_; }
    /// Erases up to `keys_max` keys that are due. All changes of entries before this one must have been written.
    void expire(std::size_t keys_max);

    [[nodiscard]] const Status& status() const { return status_; }
    [[nodiscard]] std::size_t changed_bytes() const { return changed_bytes_; }
    /// Appends all changes as rows of the store, valid until it is called again, and forgets everything.
    void take_changes(std::vector<store::Change>& out);

private:
    struct Undo {
        std::string_view key;
        Row row;  ///< before it was changed
        bool erased_all = false;
        bool was_emptied = false;  ///< before everything was erased
    };

    [[nodiscard]] std::optional<Version> change(std::string_view key, bool exists, Value value, std::uint64_t deadline);
    [[nodiscard]] Row& row_of(std::string_view key) { return rows_.try_emplace(key).first->value; }
    void remove_due(std::string_view key);
    void note(KeyChange::Kind kind, std::string_view key, bool is_new = false, std::uint64_t deadline = 0) {
        if (notes_changes_) noted_.push_back({kind, std::string(key), is_new, deadline});
    }
    bool count_lookup(bool found) {
        ++(found ? lookups_.hits : lookups_.misses);
        return found;
    }
    void take_rows(std::vector<store::Change>& out);
    void forget();
    Row& remember(std::string_view key, std::string row);
    Row& look_up(std::string_view key);
    Row& glance(std::string_view key);
    [[nodiscard]] bool is_due(const Row& row) const { return row.exists && row.deadline != 0 && row.deadline <= now_; }
    [[nodiscard]] Row read_trailer(std::string_view row);
    [[nodiscard]] std::span<const std::string_view> rows_of_unknown(std::span<const std::string_view> keys);
    /// A row could not be read: nothing counts any more, and the process will end (S4, S26).
    void note(Error error);
    void count_all();
    void bound_memory();
    void look_for_first_deadline(std::uint64_t from);
    void erase_due(const std::string& row_key);

    const store::Store& store_;
    KeyTable<Row> rows_;
    std::size_t changed_bytes_ = 0;  ///< of keys and values changed; those overwritten since count too
    std::size_t read_bytes_ = 0;     ///< of values read and kept in rows_
    Lsn lsn_;
    std::uint64_t now_ = 0;
    std::uint64_t request_ = 0;
    bool undoable_ = false, ran_over_ = false;
    bool emptied_ = false;                              ///< what the store has is to be erased, and is not there for anyone any more
    KeyCounts counts_, stored_counts_, counts_before_;  ///< as of now, of what the store has, and before this request
    std::uint64_t first_deadline_ = 0;
    Lookups lookups_, told_;
    std::uint64_t expired_ = 0;
    bool notes_changes_ = false;
    std::vector<KeyChange> noted_;
    std::vector<Undo> undo_;
    Status status_;
    std::vector<std::string> outdated_;  ///< rows that are to go: of deadlines that no key has
    std::deque<std::string> own_keys_;   ///< of rows_: those that came from the store
    std::string row_keys_;               ///< prefetch()'s, kept for its memory, as the next two are
    std::vector<std::string_view> unknown_keys_, row_views_;
    std::string taken_, counts_taken_;  ///< what take_changes() gave out views of, likewise the next
    std::vector<std::string> outdated_taken_;
};

}  // namespace tanist::commands
