// SPDX-License-Identifier: Apache-2.0
// What a node tells about itself and the others: for status, routing, metrics and checkers. A copy, not a window.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/membership.h"
#include "base/types.h"

namespace tanist::core {

enum class Role : std::uint8_t {
    kMaster,     ///< holds the epoch; accepts writes once `open`
    kSlave,      ///< follows, or looks for a master; spares and witnesses follow in the same way
    kCandidate,  ///< asks for votes
};

enum class Health : std::uint8_t {
    kForming,  ///< the cluster does not exist yet, or has not admitted this node
    kUp,
    kCatchingUp,   ///< behind the master's commit LSN as last heard, and not yet in sync since start
    kCopying,      ///< takes in a checkpoint (S25)
    kInDoubt,      ///< the log has a hole that is not settled (S9)
    kQuarantined,  ///< takes part in nothing (S7)
};

/// One member as this node knows it. The master knows all of them; a slave itself, and who the master is.
struct PeerView {
    MemberId id;
    bool connected = false;
    std::uint64_t silence_ms = 0;  ///< since it was last heard
    std::optional<Rank> rank;      ///< what it holds durably and acknowledged; unknown: nullopt
    std::optional<Lsn> commit, applied;
    std::optional<Health> health;
    std::string refusal;  ///< why it stays out, where it does
};

struct View {
    MemberId self;
    ClusterId cluster;
    Epoch epoch;
    Role role = Role::kSlave;
    Health health = Health::kForming;
    std::string why;                 ///< of a health other than kUp, for `status`
    bool open = false;               ///< master: takes writes and linearizable reads (S15)
    bool pausing = false;            ///< hands over, or has: writes are held back until another node is known to take them (S17)
    std::optional<MemberId> master;  ///< of this epoch, as far as known and heard within an election timeout
    Rank last;                       ///< of our log, written
    Lsn durable, commit, applied;
    Lsn master_commit;             ///< as last heard
    Lsn everywhere;                ///< durable on every data voter, as far as known here
    std::uint64_t silence_ms = 0;  ///< slave: since the master was last heard; master: since a majority was
    bool in_sync = false;          ///< has, since it started, once applied all that its master had committed (S18)
    Membership membership;
    std::vector<PeerView> peers;  ///< every other member
};

/// Whether reads at levels stale and session may be answered from the state here: by a slave that has been in sync, and by whoever has
/// been an open master, for as long as it runs: also when no master is known (S18, S19).
[[nodiscard]] bool serves_reads(const View& view);

}  // namespace tanist::core
