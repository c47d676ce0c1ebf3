// SPDX-License-Identifier: Apache-2.0
// Users' keys as the commands of one write see them: the store's rows, under the changes that are not yet written to it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
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
        bool changed = false;          ///< differs from the store, and will be written
        Version last_change;           ///< of a row that was deleted in this write: of its deletion
        std::uint64_t changed_by = 0;  ///< the request that did, to tell it from others of its entry
        Value value;

        [[nodiscard]] Version version() const { return exists ? last_change : Version{}; }
    };

    explicit Keyspace(const store::Store& store) : store_(store) {}

    void begin_entry(Lsn lsn) { lsn_ = lsn; }
    [[nodiscard]] Lsn lsn() const { return lsn_; }
    /// Everything until the next begin_request() is one request's doing. `undoable`: undo_request() may be called.
    void begin_request(bool undoable);
    /// Takes back what the request has changed.
    void undo_request();

    /// Reads what is not yet known of `keys` in one go; it is an optimisation only. Reads less where that would take much memory.
    void prefetch(std::span<const std::string_view> keys);

    /// The row as of now, valid until the next call of any other function.
    [[nodiscard]] const Row& find(std::string_view key);
    /// The version it got; nullopt: changed too often in this entry, nothing was done (see Version).
    [[nodiscard]] std::optional<Version> put(std::string_view key, Value value);
    [[nodiscard]] std::optional<Version> erase(std::string_view key);

    [[nodiscard]] const Status& status() const { return status_; }
    [[nodiscard]] std::size_t changed_bytes() const { return changed_bytes_; }
    /// Appends all changes as rows of the store, ascending by key, and forgets everything.
    void take_changes(std::vector<store::Change>& out);

private:
    struct Undo {
        std::string_view key;
        std::optional<Row> row;  ///< nullopt: nothing was known of the key
    };

    [[nodiscard]] std::optional<Version> change(std::string_view key, bool exists, Value value);
    Row& remember(std::string_view key, std::string row);
    void bound_memory();

    const store::Store& store_;
    using Rows = std::unordered_map<std::string_view, Row>;
    Rows rows_;
    std::size_t changed_bytes_ = 0;  ///< of keys and values changed; those overwritten since count too
    std::size_t read_bytes_ = 0;     ///< of values read and kept in rows_
    Lsn lsn_;
    std::uint64_t request_ = 0;
    bool undoable_ = false;
    std::vector<Undo> undo_;
    Status status_;
    std::vector<std::string> row_keys_;  ///< prefetch()'s, kept for their memory
    std::vector<std::string_view> unknown_keys_;
    std::vector<const Rows::value_type*> changed_;  ///< take_changes()'s, likewise
};

}  // namespace tanist::commands
