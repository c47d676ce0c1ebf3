// SPDX-License-Identifier: Apache-2.0
#include "commands/keyspace.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/mutant.h"
#include "commands/layout.h"

namespace tanist::commands {
namespace {
/// Values read beyond this are dropped, and read again when they are asked for again.
constexpr std::size_t kReadBytesMax = 64 * limits::kMiB;
constexpr std::size_t kPrefetchBytesMax = 16 * limits::kMiB;
constexpr std::size_t kCountedPerScan = 10'000;
constexpr std::size_t kBytesKept = 4 * limits::kMiB;  // of memory that is used again and again

/// All rows of users' keys and of their deadlines.
constexpr char kBehindLast = static_cast<char>(layout::kExpiry + 1);
constexpr std::string_view kFirstRow(&layout::kData, 1), kBehindRows(&kBehindLast, 1);

void add_to(KeyCounts& counts, const Keyspace::Row& row) {
    if (!row.exists) return;
    ++counts.keys;
    if (row.deadline == 0) return;
    ++counts.expiring;
    counts.deadlines += row.deadline;
}
void take_from(KeyCounts& counts, const Keyspace::Row& row) {
    if (!row.exists) return;
    --counts.keys;
    if (row.deadline == 0) return;
    --counts.expiring;
    counts.deadlines -= row.deadline;
}
}  // namespace

Status Keyspace::open() {
    status_ = {};
    first_deadline_ = 0;
    look_for_first_deadline(0);
    auto counts = store_.get(layout::kCountsKey);
    if (!counts) return fail(std::move(counts.error()));
    counts_ = stored_counts_ = {};
    if (!*counts) {
        count_all();
    } else if (const auto decoded = layout::decode_counts(**counts)) {
        counts_ = stored_counts_ = *decoded;
    } else {
        return fail(ErrorCode::kCorrupt, "store: the counts of keys have {} bytes", (*counts)->size());
    }
    return status_;
}

/// Of a store that was written before keys were counted, and may have a mark that is not used any more.
void Keyspace::count_all() {
    if (auto mark = store_.get(layout::kOldDeadlinesKey); !mark) {
        status_ = fail(std::move(mark.error()));
    } else if (*mark) {
        outdated_.emplace_back(layout::kOldDeadlinesKey);
    }
    for (std::optional<std::string> begin(std::string(1, layout::kData)); begin && status_;) {
        auto found = store_.scan(
            {.begin = *begin, .end = layout::behind(layout::kData), .rows_max = kCountedPerScan, .bytes_max = kPrefetchBytesMax});
        if (!found) {
            status_ = fail(std::move(found.error()));
            return;
        }
        for (const auto& [row_key, row] : found->rows) add_to(counts_, read_trailer(row));
        begin.reset();
        if (found->more) begin = found->rows.back().first + '\0';
    }
}

void Keyspace::begin_entry(Lsn lsn, std::uint64_t now) {
    lsn_ = lsn;
    now_ = now;
    begin_request(false);
}

void Keyspace::begin_request(bool undoable) {
    ++request_;
    undoable_ = undoable;
    ran_over_ = false;
    counts_before_ = counts_;
    undo_.clear();
}

void Keyspace::undo_request() {
    for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) {
        if (step->erased_all) {
            emptied_ = step->was_emptied;
            rows_.erase_if([](const auto& one) { return !one.value.changed; });  // they were absent only because of it
        } else {
            row_of(step->key) = std::move(step->row);
        }
    }
    counts_ = counts_before_;
    undo_.clear();
}

Keyspace::Row& Keyspace::remember(std::string_view key, std::string row) {
    const auto trailer = layout::take_trailer(row);
    if (!trailer) {
        if (status_) status_ = fail(ErrorCode::kCorrupt, "store: a row of {} bytes has no known trailer", row.size());
        return row_of(key);
    }
    read_bytes_ += row.size();
    return row_of(key) = Row{.exists = true,
                             .last_change = trailer->version,
                             .deadline = trailer->deadline,
                             .stored_deadline = trailer->deadline,
                             .value = Value::owned(std::move(row))};
}

/// All but the value.
Keyspace::Row Keyspace::read_trailer(std::string_view row) {
    const auto trailer = layout::trailer_of(row);
    if (trailer) {
        return {.exists = true,
                .last_change = trailer->version,
                .deadline = trailer->deadline,
                .stored_deadline = trailer->deadline,
                .has_value = false};
    }
    if (status_) status_ = fail(ErrorCode::kCorrupt, "store: a row of {} bytes has no known trailer", row.size());
    return {};
}

void Keyspace::bound_memory() {
    if (read_bytes_ < kReadBytesMax) return;
    rows_.erase_if([](const auto& one) { return !one.value.changed; });
    read_bytes_ = 0;
}

/// The rows' keys lie in one piece of memory, which is reserved before.
std::span<const std::string_view> Keyspace::rows_of_unknown(std::span<const std::string_view> keys) {
    std::size_t bytes = 0;
    unknown_keys_.clear();
    for (const auto key : keys) {
        if (rows_.find(key) == nullptr) unknown_keys_.push_back(key), bytes += 1 + key.size();
    }
    if (row_keys_.capacity() > kBytesKept) row_keys_ = {};
    row_keys_.clear();
    row_keys_.reserve(bytes);
    row_views_.clear();
    for (const auto key : unknown_keys_) {
        const std::size_t begin = row_keys_.size();
        layout::append_data_key(row_keys_, key);
        row_views_.push_back(std::string_view(row_keys_).substr(begin));
    }
    return row_views_;
}

void Keyspace::prefetch(std::span<const std::string_view> keys, std::span<const std::string_view> overwritten) {
    bound_memory();
    if (keys.size() + overwritten.size() < 2 || emptied_ || !status_) return;
    auto found = store_.get_many(rows_of_unknown(keys), kPrefetchBytesMax);
    if (!found) return note(std::move(found.error()));
    for (std::size_t i = 0; i < found->size(); ++i) {
        if ((*found)[i]) {
            remember(unknown_keys_[i], std::move(*(*found)[i]));
        } else {
            rows_.try_emplace(unknown_keys_[i]);
        }
    }
    const auto rows = rows_of_unknown(overwritten);
    auto glanced_at = store_.read(rows, kPrefetchBytesMax, [&](std::size_t i, std::optional<std::string_view> row) {
        row_of(unknown_keys_[i]) = row ? read_trailer(*row) : Row{};
    });
    if (!glanced_at) note(std::move(glanced_at.error()));
}

void Keyspace::note(Error error) {
    if (!mutant(Mutant::kUnreadableRowAbsent)) status_ = fail(std::move(error));
}

Keyspace::Row& Keyspace::look_up(std::string_view key) {
    if (auto* known = rows_.find(key); known != nullptr && known->value.has_value) return known->value;
    bound_memory();
    if (status_ && !emptied_) {
        auto row = store_.get(layout::data_key(key));
        if (!row) {
            note(std::move(row.error()));
        } else if (*row) {
            return remember(key, std::move(**row));
        }
    }
    return row_of(key) = Row{};
}

/// As look_up(), but for the value.
Keyspace::Row& Keyspace::glance(std::string_view key) {
    const auto [known, is_new] = rows_.try_emplace(key);
    Row& row = known->value;
    if (!is_new) return row;
    if (!status_ || emptied_) return row;
    const std::string row_key = layout::data_key(key);
    const std::string_view one = row_key;
    auto read = store_.read({&one, 1}, store::kNoBound, [&](std::size_t, std::optional<std::string_view> stored) {
        if (stored) row = read_trailer(*stored);
    });
    if (!read) note(std::move(read.error()));
    return row;
}

const Keyspace::Row& Keyspace::find(std::string_view key) {
    Row& row = look_up(key);
    if (is_due(row)) remove_due(key);  // its turn has not come yet, where many are due at once
    static_cast<void>(count_lookup(row.exists));
    return row;
}

bool Keyspace::exists(std::string_view key) {
    Row& row = glance(key);
    if (is_due(row)) remove_due(key);
    return count_lookup(row.exists);
}

std::optional<Version> Keyspace::put(std::string_view key, Value value, std::uint64_t deadline) {
    if (deadline != 0 && (first_deadline_ == 0 || deadline < first_deadline_)) first_deadline_ = deadline;
    const bool is_new = notes_changes_ && !glance(key).exists;
    const auto version = change(key, true, std::move(value), deadline);
    if (version) note(KeyChange::Kind::kPut, key, is_new, deadline);
    return version;
}

std::optional<Version> Keyspace::erase(std::string_view key) {
    const auto version = change(key, false, {}, 0);
    if (version) note(KeyChange::Kind::kErased, key);
    return version;
}

void Keyspace::remove_due(std::string_view key) {
    if (!change(key, false, {}, 0)) return;
    ++expired_;
    note(KeyChange::Kind::kExpired, key);
}

std::optional<Version> Keyspace::change(std::string_view key, bool exists, Value value, std::uint64_t deadline) {
    Row& row = glance(key);
    Version version = lsn_;
    if (row.changed && lsn_of(row.last_change) == lsn_) {
        version = row.last_change;
        if (row.changed_by != request_) version.value += kOrdinalStep;
        if (version < row.last_change) {
            ran_over_ = true;
            return std::nullopt;
        }
    }
    const std::uint64_t stored_deadline = emptied_ ? 0 : row.stored_deadline;
    take_from(counts_, row);
    if (undoable_) undo_.push_back({.key = key, .row = std::move(row)});
    changed_bytes_ += key.size() + value.bytes().size();
    row = Row{.exists = exists,
              .changed = true,
              .last_change = version,
              .changed_by = request_,
              .deadline = deadline,
              .stored_deadline = stored_deadline,
              .value = std::move(value)};
    add_to(counts_, row);
    return version;
}

/// What was changed in this write stays known, as gone: versions must not come twice.
void Keyspace::erase_all() {
    if (undoable_) undo_.push_back({.key = {}, .row = {}, .erased_all = true, .was_emptied = emptied_});
    rows_.erase_if([](const auto& one) { return !one.value.changed; });
    emptied_ = true;
    rows_.for_each([&](const auto& one) { static_cast<void>(change(one.key, false, {}, 0)); });
    counts_ = {};
    note(KeyChange::Kind::kFlushed, {});
}

Keyspace::KeyPage Keyspace::page(std::string_view begin, std::size_t rows_max) {
    KeyPage page;
    if (!emptied_ && status_) {
        auto found = store_.scan({.begin = layout::data_key(begin), .end = layout::behind(layout::kData), .rows_max = rows_max});
        if (!found) {
            status_ = fail(std::move(found.error()));
            return page;
        }
        for (const auto& [row_key, row] : found->rows) {
            const std::string_view key = std::string_view(row_key).substr(1);
            const auto* known = rows_.find(key);
            if (known != nullptr && known->value.changed) continue;
            const auto trailer = layout::trailer_of(row);
            if (trailer && !trailer->is_due(now_)) page.keys.emplace_back(key);
        }
        if (found->more) page.next = found->rows.back().first.substr(1) + '\0';
    }
    const std::size_t stored = page.keys.size();
    rows_.for_each([&](const auto& one) {
        if (one.value.changed && one.value.exists && one.key >= begin && (!page.next || one.key < *page.next)) {
            page.keys.emplace_back(one.key);
        }
    });
    if (page.keys.size() > stored) std::ranges::sort(page.keys);
    return page;
}

// -- what falls due ----------------------------------------------------------------------------------------------------------

void Keyspace::expire(std::size_t keys_max) {
    if (first_deadline_ == 0 || first_deadline_ > now_ || !status_) return;
    auto due = store_.scan({.begin = layout::expiry_key(first_deadline_),
                            .end = layout::expiry_key(now_ + 1),
                            .rows_max = keys_max,
                            .bytes_max = store::kNoBound});
    if (!due) {
        status_ = fail(std::move(due.error()));
        return;
    }
    for (const auto& [row_key, nothing] : due->rows) erase_due(row_key);
    if (due->more) {
        first_deadline_ = layout::expiry_of(due->rows.back().first)->deadline;
    } else {
        look_for_first_deadline(now_ + 1);
    }
}

void Keyspace::erase_due(const std::string& row_key) {
    const auto expiry = layout::expiry_of(row_key);
    if (!expiry) {
        status_ = fail(ErrorCode::kCorrupt, "store: the row of a deadline has a key of {} bytes", row_key.size());
        return;
    }
    const std::string& key = own_keys_.emplace_back(expiry->key);
    const Row& row = glance(key);
    if (row.exists && (row.deadline == expiry->deadline || mutant(Mutant::kExpiryUnconditional))) {
        remove_due(key);
    } else {
        outdated_.push_back(row_key);
    }
}

void Keyspace::look_for_first_deadline(std::uint64_t from) {
    auto first = store_.scan({.begin = layout::expiry_key(from), .end = layout::behind(layout::kExpiry), .rows_max = 1});
    if (!first) {
        status_ = fail(std::move(first.error()));
        return;
    }
    const auto expiry = first->rows.empty() ? std::nullopt : layout::expiry_of(first->rows.front().first);
    first_deadline_ = expiry ? expiry->deadline : 0;
}

// -- the write -----------------------------------------------------------------------------------------------------------------

void Keyspace::take_changes(std::vector<store::Change>& out) {
    forget();
    if (emptied_) out.push_back({.key = kFirstRow, .value = std::nullopt, .end = kBehindRows});
    outdated_taken_.swap(outdated_);
    for (const std::string& row_key : outdated_taken_) out.push_back({row_key, std::nullopt});
    take_rows(out);
    if (counts_ != stored_counts_) {  // no row when there are no keys, as before the first: digests tell states apart, not their histories
        counts_taken_ = layout::encode_counts(counts_);
        out.push_back({layout::kCountsKey, std::nullopt});
        if (counts_ != KeyCounts{}) out.back().value = counts_taken_;
    }
    stored_counts_ = counts_;
    emptied_ = false;
    rows_.clear();
    own_keys_.clear();
    changed_bytes_ = read_bytes_ = 0;
}

/// All rows lie in one piece of memory, which is reserved before: the changes are views of it.
void Keyspace::take_rows(std::vector<store::Change>& out) {
    std::size_t bytes = 0, count = 0;
    rows_.for_each([&](const auto& one) {
        if (!one.value.changed) return;
        ++count;
        bytes += layout::row_bytes_max(one.key.size(), one.value.value.bytes().size());
    });
    taken_.reserve(bytes);
    out.reserve(out.size() + count);
    const auto take = [&](const auto& append) -> std::string_view {
        const std::size_t begin = taken_.size();
        append(taken_);
        ENSURE(taken_.size() <= bytes);
        return std::string_view(taken_).substr(begin);
    };
    rows_.for_each([&](const auto& one) {
        const Row& row = one.value;
        if (!row.changed) return;
        const auto take_expiry = [&](std::uint64_t deadline) {
            return take([&](std::string& to) { layout::append_expiry_key(to, deadline, one.key); });
        };
        out.push_back({take([&](std::string& to) { layout::append_data_key(to, one.key); }), std::nullopt});
        if (row.exists) {
            out.back().value =
                take([&](std::string& to) { layout::append_data_value(to, row.value.bytes(), {row.last_change, row.deadline}); });
        }
        if (row.stored_deadline == row.deadline) return;
        const bool leaves_old = row.exists && mutant(Mutant::kExpiryUnconditional);
        if (row.stored_deadline != 0 && !leaves_old) out.push_back({take_expiry(row.stored_deadline), std::nullopt});
        if (row.deadline != 0) out.push_back({take_expiry(row.deadline), ""});
    });
}

/// What was taken before has been written.
void Keyspace::forget() {
    if (taken_.capacity() > kBytesKept) taken_ = {};
    taken_.clear();
    outdated_taken_.clear();
}

}  // namespace tanist::commands
