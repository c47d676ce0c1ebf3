// SPDX-License-Identifier: Apache-2.0
#include "commands/keyspace.h"

#include <algorithm>

#include "commands/layout.h"

namespace tanist::commands {
namespace {
/// Values read beyond this are dropped, and read again when they are asked for again.
constexpr std::size_t kReadBytesMax = 64 * limits::kMiB;
constexpr std::size_t kPrefetchBytesMax = 16 * limits::kMiB;
constexpr std::size_t kBucketsKept = 16'384;
}  // namespace

void Keyspace::begin_request(bool undoable) {
    ++request_;
    undoable_ = undoable;
    undo_.clear();
}

void Keyspace::undo_request() {
    for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) {
        if (step->row) {
            rows_.insert_or_assign(step->key, std::move(*step->row));
        } else {
            rows_.erase(step->key);
        }
    }
    undo_.clear();
}

Keyspace::Row& Keyspace::remember(std::string_view key, std::string row) {
    const auto version = layout::take_trailer(row);
    if (!version) {
        if (status_) status_ = fail(ErrorCode::kCorrupt, "store: a row of {} bytes has no known trailer", row.size());
        return rows_[key];
    }
    read_bytes_ += row.size();
    return rows_[key] = Row{.exists = true, .last_change = *version, .value = Value::owned(std::move(row))};
}

void Keyspace::bound_memory() {
    if (read_bytes_ < kReadBytesMax) return;
    std::erase_if(rows_, [](const auto& one) { return !one.second.changed; });
    read_bytes_ = 0;
}

void Keyspace::prefetch(std::span<const std::string_view> keys) {
    bound_memory();
    row_keys_.clear();
    unknown_keys_.clear();
    for (const auto key : keys) {
        if (!rows_.contains(key)) unknown_keys_.push_back(key), row_keys_.push_back(layout::data_key(key));
    }
    if (unknown_keys_.size() < 2 || !status_) return;
    const std::vector<std::string_view> row_keys(row_keys_.begin(), row_keys_.end());
    auto found = store_.get_many(row_keys, kPrefetchBytesMax);
    if (!found) {
        status_ = fail(std::move(found.error()));
        return;
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
        if ((*found)[i]) {
            remember(unknown_keys_[i], std::move(*(*found)[i]));
        } else {
            rows_.try_emplace(unknown_keys_[i]);
        }
    }
}

const Keyspace::Row& Keyspace::find(std::string_view key) {
    if (const auto at = rows_.find(key); at != rows_.end()) return at->second;
    bound_memory();
    if (status_) {
        auto row = store_.get(layout::data_key(key));
        if (!row) {
            status_ = fail(std::move(row.error()));
        } else if (*row) {
            return remember(key, std::move(**row));
        }
    }
    return rows_[key];
}

std::optional<Version> Keyspace::put(std::string_view key, Value value) { return change(key, true, std::move(value)); }
std::optional<Version> Keyspace::erase(std::string_view key) { return change(key, false, {}); }

std::optional<Version> Keyspace::change(std::string_view key, bool exists, Value value) {
    const auto [at, is_new] = rows_.try_emplace(key);
    Row& row = at->second;
    Version version = lsn_;
    if (row.changed && lsn_of(row.last_change) == lsn_) {
        version = row.last_change;
        if (row.changed_by != request_) version.value += kOrdinalStep;
        if (version < row.last_change) return std::nullopt;  // ran over
    }
    if (undoable_) undo_.push_back({key, is_new ? std::nullopt : std::optional<Row>(std::move(row))});
    changed_bytes_ += key.size() + value.bytes().size();
    row = Row{.exists = exists, .changed = true, .last_change = version, .changed_by = request_, .value = std::move(value)};
    return version;
}

void Keyspace::take_changes(std::vector<store::Change>& out) {
    changed_.clear();
    for (const auto& one : rows_) {
        if (one.second.changed) changed_.push_back(&one);
    }
    std::ranges::sort(changed_, {}, [](const auto* one) { return one->first; });  // neighbours are cheaper to insert for the store
    out.reserve(out.size() + changed_.size());
    for (const auto* one : changed_) {
        const auto& [key, row] = *one;
        out.push_back({layout::data_key(key), std::nullopt});
        if (row.exists) out.back().value = layout::data_value(row.value.bytes(), row.last_change);
    }
    if (rows_.bucket_count() > kBucketsKept) {
        rows_ = {};  // clearing costs in buckets: one large write must not slow down all that follow
    } else {
        rows_.clear();
    }
    changed_bytes_ = read_bytes_ = 0;
}

}  // namespace tanist::commands
