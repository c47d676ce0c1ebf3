// SPDX-License-Identifier: Apache-2.0
#include "tests/wal/history.h"

#include <algorithm>

namespace tanist::wal {

std::optional<std::string> Outcome::mismatch(const Log& log) const {
    const EntryId found_base = log.base(), found_last = log.last();
    if (found_base.lsn < base.lsn || found_base.lsn > std::max(base.lsn, recycled_through)) {
        return fmt::format("starts behind lsn={}, not behind {} .. {}", found_base.lsn.value, base.lsn.value, recycled_through.value);
    }
    if (found_last.lsn < Lsn{base.lsn.value + durable}) {
        return fmt::format("ends at lsn={}, though lsn={} is durable", found_last.lsn.value, base.lsn.value + durable);
    }
    if (found_last.lsn > last().lsn)
        return fmt::format("ends at lsn={}, though only lsn={} was written", found_last.lsn.value, last().lsn.value);
    const auto ids = ids_in(log);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const EntryId& expected = entries[found_base.lsn.value - base.lsn.value + i].id();
        if (ids[i] != expected) return fmt::format("lsn={} is another entry", expected.lsn.value);
    }
    if (found_base != (found_base.lsn == base.lsn ? base : entries[found_base.lsn.value - base.lsn.value - 1].id())) return "another base";
    return std::nullopt;
}

void History::check(const Log& log) {
    std::string reasons;
    for (const Outcome& outcome : outcomes_) {
        const auto mismatch = outcome.mismatch(log);
        if (!mismatch) {
            Outcome is = outcome;
            const std::size_t dropped = log.base().lsn.value - is.base.lsn.value;
            is.entries.erase(is.entries.begin(), is.entries.begin() + static_cast<std::ptrdiff_t>(dropped));
            if (log.tail() == Tail::kClean) {  // what a start reports is durable
                is.entries.resize(log.last().lsn.value - log.base().lsn.value);
                is.durable = is.entries.size();
            } else {
                is.durable -= std::min(is.durable, dropped);
            }
            is.base = log.base();
            is.recycled_through = {};
            set(std::move(is));
            return;
        }
        reasons += "; " + *mismatch;
    }
    ADD_FAILURE() << "the log is none of what it may be" << reasons;
}

void History::settle(Log& log, std::uint64_t choice) {
    if (log.tail() == Tail::kClean) return;
    Outcome after = now();
    const std::size_t kept = log.last().lsn.value - after.base.lsn.value;
    const std::span lost(after.entries.begin() + static_cast<std::ptrdiff_t>(kept), after.entries.end());
    std::vector<Entry> fill;
    if (choice % 3 == 0) {
        after.entries.resize(kept);
    } else if (choice % 3 == 1) {  // a peer has them all
        fill.assign(lost.begin(), lost.end());
    } else {  // a master of a later epoch has others
        after.entries.resize(kept);
        fill = Chain(log.last(), choice).next(log.found().mark.intent.epoch.next(), 2);
        after.entries.insert(after.entries.end(), fill.begin(), fill.end());
    }
    after.durable = after.entries.size();
    const auto status = repair(log, fill, after);
    if (!status) ADD_FAILURE() << "repair: " << status.error().message;
    check(log);
}

Status History::write(Log& log, Epoch epoch, int count, std::size_t payload_bytes) {
    Outcome& outcome = outcomes_.front();
    Chain chain(outcome.last(), salt_++);
    std::vector<Entry> group;
    for (int i = 0; i < count; ++i) group.push_back(payload_bytes == 0 ? chain.one(epoch) : chain.one(epoch, payload_bytes));
    outcome.entries.insert(outcome.entries.end(), group.begin(), group.end());
    return log.write(group);
}

Status History::sync(Log& log) {
    if (auto status = log.sync(); !status) return status;
    outcomes_.front().durable = outcomes_.front().entries.size();
    return {};
}

Status History::append(Log& log, Epoch epoch, int count, std::size_t payload_bytes) {
    if (auto status = write(log, epoch, count, payload_bytes); !status) return status;
    return sync(log);
}

Status History::cut(Log& log, Lsn keep) {
    Outcome after = now();
    after.entries.resize(keep.value - after.base.lsn.value);
    after.durable = after.entries.size();
    outcomes_.push_back(after);
    if (auto status = log.cut(keep); !status) return status;
    set(std::move(after));
    return {};
}

Status History::recycle(Log& log, Lsn through) {
    outcomes_.front().recycled_through = through;
    if (auto status = log.recycle(through); !status) return status;
    Outcome& outcome = outcomes_.front();
    const std::size_t dropped = log.base().lsn.value - outcome.base.lsn.value;
    outcome.entries.erase(outcome.entries.begin(), outcome.entries.begin() + static_cast<std::ptrdiff_t>(dropped));
    outcome.durable -= dropped;
    outcome.base = log.base();
    outcome.recycled_through = {};
    return {};
}

Status History::reset(Log& log, EntryId base) {
    const Outcome after{.base = base};
    outcomes_.push_back(after);
    if (auto status = log.reset(base); !status) return status;
    set(after);
    return {};
}

Status History::repair(Log& log, const std::vector<Entry>& fill, const Outcome& after) {
    outcomes_.push_back(after);
    if (auto status = log.repair(fill); !status) return status;
    set(after);
    return {};
}

}  // namespace tanist::wal
