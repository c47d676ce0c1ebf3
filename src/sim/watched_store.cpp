// SPDX-License-Identifier: Apache-2.0
#include "sim/watched_store.h"

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

}  // namespace

WatchedStore::WatchedStore(std::unique_ptr<store::Store> store, Watcher watcher) : store_(std::move(store)), watcher_(std::move(watcher)) {
    look_again();
}

void WatchedStore::look_again() {
    if (store_->position() == seen_) return;
    const auto digest = store_->digest();
    ENSURE(digest.has_value());
    seen_ = store_->position();
    digest_ = *digest;
    watcher_(seen_, digest_);
}

Status WatchedStore::apply(std::span<const store::Change> changes, const store::Position& position) {
    look_again();  // a checkpoint may have been installed in this very step
    // Row hashes add up (store/digest.h): the rows that go are taken off, those that come are put on.
    std::map<std::string_view, const store::Change*> last;
    for (const store::Change& change : changes) last[change.key] = &change;
    for (const auto& [key, change] : last) {
        const auto before = store_->get(key);
        ENSURE(before.has_value());
        if (*before) digest_ -= hash_of_row(key, **before);
        if (change->value) digest_ += hash_of_row(key, *change->value);
    }
    Status applied = store_->apply(changes, position);
    seen_ = position;
    watcher_(position, digest_);
    return applied;
}

}  // namespace tanist::sim
