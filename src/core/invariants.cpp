// SPDX-License-Identifier: Apache-2.0
#include "core/invariants.h"

#include "base/ensure.h"
#include "core/state.h"

namespace tanist::core {

void check_invariants(const State& s) {
    s.log.check_invariants();
    ENSURE(s.applied <= s.applying.handed);
    ENSURE(s.applying.handed <= s.commit);
    ENSURE(s.following.matched <= s.log.last().lsn);
    if (!s.hole && s.quarantine.empty() && has_state(s)) {
        ENSURE(s.commit <= s.log.last().lsn);          // what is committed here is held here
        ENSURE(s.applying.handed <= s.log.durable());  // S7
    }
    if (s.role != Role::kSlave) {
        ENSURE(s.vote.candidate == s.self());  // S3: stood with its own durable vote
        ENSURE(!s.hole);                       // S9
        ENSURE(s.quarantine.empty());
        ENSURE(s.log.last().epoch <= s.epoch());
    }
    if (s.is_master()) {
        ENSURE(s.reign.pulling == s.reign.epoch_start.is_zero());
        ENSURE(s.reign.pulling || s.log.last().epoch == s.epoch());
        ENSURE(!s.reign.open || s.commit >= s.reign.epoch_start);
    } else {
        ENSURE(s.proposals.pending.empty());
        ENSURE(!s.reign.open);
    }
}

}  // namespace tanist::core
