// SPDX-License-Identifier: Apache-2.0
// The membership in force: that of the newest membership entry in the log, committed or not (S23).
#pragma once

#include <vector>

#include "base/entry.h"
#include "base/membership.h"
#include "base/types.h"

namespace tanist::core {

/// It takes effect when appended and reverts when cut. Joint consensus will add the old set beside the new one here, and nowhere else.
class Members {
public:
    /// `below`: as of where the log begins: of the checkpoint, or the founding one; empty before formation.
    void start_from(Membership below, Lsn at);
    /// A membership entry was appended. False: its payload cannot be decoded, and it changes nothing.
    bool append(const Entry& entry);
    void cut(Lsn keep);

    [[nodiscard]] const Membership& current() const { return logged_.empty() ? below_ : logged_.back().membership; }

private:
    struct Logged {
        Lsn lsn;
        Membership membership;
    };
    Membership below_;
    std::vector<Logged> logged_;
};

}  // namespace tanist::core
