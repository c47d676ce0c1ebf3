// SPDX-License-Identifier: Apache-2.0
#include "sim/watched_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/ensure.h"
#include "store/digest.h"

namespace tanist::sim {
namespace {

std::uint64_t hash_of_row(std::string_view key, std::string_view value) {
    store::Digest digest;
    digest.add(key, value);
    return digest.value();
}

/// The last bit of each file has changed since it was written: found by whoever checks what came, and not on the way.
class RottenCheckpoint final : public store::Checkpoint {
public:
    explicit RottenCheckpoint(std::unique_ptr<store::Checkpoint> good) : good_(std::move(good)) {}

    [[nodiscard]] store::Position position() const override { return good_->position(); }
    [[nodiscard]] std::span<const store::CheckpointFile> files() const override { return good_->files(); }
    [[nodiscard]] Result<std::string> read(std::size_t file, std::uint64_t offset, std::size_t bytes_max) const override {
        auto data = good_->read(file, offset, bytes_max);
        if (data && !data->empty() && offset + data->size() == files()[file].bytes) data->back() = static_cast<char>(data->back() ^ 1);
        return data;
    }

private:
    std::unique_ptr<store::Checkpoint> good_;
};

}  // namespace

WatchedStore::WatchedStore(std::unique_ptr<store::Store> store, RottenRow& rotten, Watcher watcher)
    : store_(std::move(store)), rotten_(rotten), watcher_(std::move(watcher)) {
    if (store_->position() != seen_) see();
}

Result<std::size_t> WatchedStore::read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const {
    if (!rotten_.key.empty() && std::ranges::find(keys, rotten_.key) != keys.end()) return fail(unreadable());
    return store_->read(keys, bytes_max, visit);
}

Result<store::ScanRows> WatchedStore::scan(const store::ScanRequest& request) const {
    auto found = store_->scan(request);
    if (!found || rotten_.key.empty()) return found;
    const auto is_rotten = [this](const auto& row) { return row.first == rotten_.key; };
    if (std::ranges::any_of(found->rows, is_rotten)) return fail(unreadable());
    return found;
}

Error WatchedStore::unreadable() const {
    rotten_.was_met = true;
    return {ErrorCode::kCorrupt, "store: a block cannot be read"};
}

void WatchedStore::look_again() {
    if (store_->position() == seen_) return;
    rotten_ = {};
    see();
}

void WatchedStore::see() {
    const auto digest = store_->digest();
    ENSURE(digest.has_value());
    seen_ = store_->position();
    digest_ = *digest;
    watcher_(seen_, digest_);
}

Result<std::unique_ptr<store::Checkpoint>> WatchedStore::checkpoint() {
    auto made = store_->checkpoint();
    if (!made || (!rots_ && rotten_.key.empty())) return made;
    return std::make_unique<RottenCheckpoint>(*std::move(made));
}

std::vector<std::string> WatchedStore::keys_in(const store::Change& range) const {
    const auto found = store_->scan(
        {.begin = std::string(range.key), .end = std::string(range.end), .rows_max = store::kNoBound, .bytes_max = store::kNoBound});
    ENSURE(found.has_value());
    std::vector<std::string> keys;
    for (const auto& row : found->rows) keys.push_back(row.first);
    return keys;
}

Status WatchedStore::apply(std::span<const store::Change> changes, const store::Position& position) {
    look_again();  // a checkpoint may have been installed in this very step
    // Row hashes add up (store/digest.h): the rows that go are taken off, those that come are put on.
    std::map<std::string, const std::optional<std::string_view>*, std::less<>> last;
    for (const store::Change& change : changes) {
        if (!change.is_range()) {
            last[std::string(change.key)] = &change.value;
            continue;
        }
        for (std::string& key : keys_in(change)) last.try_emplace(std::move(key));
        for (auto at = last.lower_bound(change.key); at != last.lower_bound(change.end); ++at) at->second = &change.value;
    }
    for (const auto& [key, after] : last) {
        const auto before = store_->get(key);
        ENSURE(before.has_value());
        if (*before) digest_ -= hash_of_row(key, **before);
        if (*after) digest_ += hash_of_row(key, **after);
    }
    Status applied = store_->apply(changes, position);
    seen_ = position;
    watcher_(position, digest_);
    return applied;
}

}  // namespace tanist::sim
