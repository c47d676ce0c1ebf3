// SPDX-License-Identifier: Apache-2.0
// Does things to a log and knows what it may hold after a crash at any point of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/wal/support.h"

namespace tanist::wal {

/// A log that would be right: `entries` follow `base`; the first `durable` of them must be there, the others may, without a gap.
struct Outcome {
    EntryId base;
    std::vector<Entry> entries;
    std::size_t durable = 0;
    Lsn recycled_through;  ///< segments up to here may be gone

    [[nodiscard]] EntryId last() const { return entries.empty() ? base : entries.back().id(); }
    /// Why `log` is not this; nullopt: it is.
    [[nodiscard]] std::optional<std::string> mismatch(const Log& log) const;
};

/// Wraps a log: each call says beforehand what a crash within it may leave, and afterwards what it must.
class History {
public:
    explicit History(std::uint64_t salt = 0) : salt_(salt) {}

    /// Whether `log` may be what a crash in or after the last call left, and takes it as the truth from here on.
    void check(const Log& log);
    /// A log that is in doubt after a crash must hold what was acknowledged; brings it to an end, in one of the ways allowed.
    void settle(Log& log, std::uint64_t choice);

    [[nodiscard]] Status write(Log& log, Epoch epoch, int count, std::size_t payload_bytes = 0);
    [[nodiscard]] Status sync(Log& log);
    [[nodiscard]] Status append(Log& log, Epoch epoch, int count, std::size_t payload_bytes = 0);
    [[nodiscard]] Status cut(Log& log, Lsn keep);
    [[nodiscard]] Status recycle(Log& log, Lsn through);
    [[nodiscard]] Status reset(Log& log, EntryId base);
    [[nodiscard]] Status repair(Log& log, const std::vector<Entry>& fill, const Outcome& after);

    [[nodiscard]] const Outcome& now() const { return outcomes_.front(); }
    void set(Outcome outcome) { outcomes_ = {std::move(outcome)}; }

private:
    std::uint64_t salt_;
    std::vector<Outcome> outcomes_{1};  ///< what is, and while a call is under way what it makes of it
};

}  // namespace tanist::wal
