// SPDX-License-Identifier: Apache-2.0
#include "core/replication/log_state.h"

#include <algorithm>

#include "base/ensure.h"

namespace tanist::core {

LogState::LogState(Start start, std::size_t tail_bytes_max)
    : base_(start.base.rank()),
      last_(start.last),
      durable_(start.durable),
      timestamp_(start.timestamp),
      epochs_(std::move(start.epochs)),
      tail_bytes_max_(tail_bytes_max) {
    ENSURE(last_.lsn >= base_.lsn);
}

std::vector<EpochRun> LogState::newest_epochs(std::size_t count_max) const {
    const auto from = epochs_.size() > count_max ? epochs_.end() - static_cast<std::ptrdiff_t>(count_max) : epochs_.begin();
    return {from, epochs_.end()};
}

std::optional<Epoch> LogState::epoch_at(Lsn lsn) const {
    if (lsn == base_.lsn) return base_.epoch;
    if (lsn < base_.lsn || lsn > last_.lsn) return std::nullopt;
    if (lsn >= epochs_.back().first_lsn) return epochs_.back().epoch;  // most questions are about the newest entries
    const auto behind = std::ranges::upper_bound(epochs_, lsn, {}, &EpochRun::first_lsn);
    return std::prev(behind)->epoch;
}

std::optional<Lsn> LogState::first_of(Epoch epoch) const {
    const auto run = std::ranges::find(epochs_, epoch, &EpochRun::epoch);
    if (run == epochs_.end()) return std::nullopt;
    return std::max(run->first_lsn, base_.lsn.next());
}

void LogState::extend_epochs(Epoch epoch, Lsn lsn) {
    if (epochs_.empty() || epochs_.back().epoch != epoch) epochs_.push_back({epoch, lsn});
}

void LogState::append(const Entry& entry) {
    ENSURE(entry.follows(last_));
    extend_epochs(entry.epoch(), entry.lsn());
    last_ = entry.id();
    raise_timestamp(entry.timestamp());
    tail_.push_back(entry);
    tail_bytes_ += entry.size();
    trim_tail();
}

void LogState::drop_epochs_behind(Lsn keep) {
    while (!epochs_.empty() && epochs_.back().first_lsn > keep) epochs_.pop_back();
}

void LogState::cut(Lsn keep, std::uint32_t checksum) {
    ENSURE(keep >= base_.lsn);
    ENSURE(keep < last_.lsn);
    const Epoch epoch = *epoch_at(keep);
    drop_epochs_behind(keep);
    while (!tail_.empty() && tail_.back().lsn() > keep) {
        tail_bytes_ -= tail_.back().size();
        tail_.pop_back();
    }
    ENSURE(tail_.empty() || tail_.back().checksum() == checksum);
    last_ = {epoch, keep, checksum};
    durable_ = keep;  // a cut makes what it keeps durable (wal::Log::cut)
    ++generation_;
}

void LogState::repair(std::span<const Entry> fill, std::span<const EntryId> behind) {
    if (!fill.empty()) {
        const Lsn keep = fill.front().lsn().previous();
        ENSURE(keep >= base_.lsn && keep <= last_.lsn);
        drop_epochs_behind(keep);
        for (const Entry& entry : fill) {
            extend_epochs(entry.epoch(), entry.lsn());
            raise_timestamp(entry.timestamp());
        }
        last_ = fill.back().id();
    }
    for (const EntryId& id : behind) {
        ENSURE(id.lsn == last_.lsn.next());
        extend_epochs(id.epoch, id.lsn);
        last_ = id;
    }
    tail_.clear();
    tail_bytes_ = 0;
    durable_ = last_.lsn;
    ++generation_;
}

void LogState::reset(EntryId base) {
    base_ = base.rank();
    last_ = base;
    durable_ = base.lsn;
    epochs_.clear();
    tail_.clear();
    tail_bytes_ = 0;
    ++generation_;
}

void LogState::recycle(Lsn base) {
    if (base <= base_.lsn) return;
    ENSURE(base <= last_.lsn);
    base_ = {*epoch_at(base), base};
    while (epochs_.size() > 1 && epochs_[1].first_lsn <= base.next()) epochs_.erase(epochs_.begin());
    if (base == last_.lsn) epochs_.clear();
    while (!tail_.empty() && tail_.front().lsn() <= base) {
        tail_bytes_ -= tail_.front().size();
        tail_.pop_front();
    }
}

void LogState::mark_durable(Lsn through) {
    ENSURE(through <= last_.lsn);
    durable_ = std::max(durable_, through);
    trim_tail();
}

std::size_t LogState::unsynced_bytes() const {
    std::size_t bytes = 0;
    for (auto entry = tail_.rbegin(); entry != tail_.rend() && entry->lsn() > durable_; ++entry) bytes += entry->size();
    return bytes;
}

void LogState::raise_timestamp(std::uint64_t timestamp) { timestamp_ = std::max(timestamp_, timestamp); }

void LogState::trim_tail() {
    while (tail_bytes_ > tail_bytes_max_ && tail_.size() > 1 && tail_.front().lsn() <= durable_) {
        tail_bytes_ -= tail_.front().size();
        tail_.pop_front();
    }
}

std::vector<Entry> LogState::take(Lsn from, Lsn through, std::size_t bytes_max) const {
    ENSURE(from >= tail_begin() && through <= last_.lsn && from <= through);
    const auto first = static_cast<std::size_t>(from.value - tail_.front().lsn().value);
    const auto count_max = static_cast<std::size_t>(through.value - from.value + 1);
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < count_max; ++count) {
        bytes += tail_[first + count].size();
        if (bytes > bytes_max && count > 0) break;
    }
    const auto begin = tail_.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

std::optional<EntryId> LogState::id_of(Lsn lsn) const {
    if (lsn == last_.lsn) return last_;
    if (lsn < tail_begin() || lsn > last_.lsn) return std::nullopt;
    return tail_[static_cast<std::size_t>(lsn.value - tail_.front().lsn().value)].id();
}

void LogState::check_invariants() const {
    ENSURE(base_.lsn <= last_.lsn);
    ENSURE(durable_ <= last_.lsn);
    ENSURE(epochs_.empty() == (base_.lsn == last_.lsn));
    ENSURE(epochs_.empty() || epochs_.back().epoch == last_.epoch);
    ENSURE(tail_.empty() || tail_.back().lsn() == last_.lsn);
    ENSURE(tail_.empty() || tail_.front().lsn() > base_.lsn);
}

}  // namespace tanist::core
