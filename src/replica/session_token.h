// SPDX-License-Identifier: Apache-2.0
// What a session has seen, beside what a node has applied (S18): read-your-writes and monotonic reads across nodes.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "base/types.h"

namespace tanist::replica {

enum class TokenState : std::uint8_t {
    kReached,  ///< the node has applied it
    kAhead,    ///< the node may still come to it
    kCut,      ///< it is no part of this history, and never will be: its entry was acknowledged weakly, and lost
};

/// Epochs never decrease along a log, and within one epoch there is one history: so an epoch at or behind the token's LSN that is
/// higher than the token's means that its entry is not in this history. `epoch_at(lsn)`: of an applied entry, none if too old to tell.
template <std::invocable<Lsn> EpochAt>
[[nodiscard]] TokenState judge_token(Rank token, Rank applied, EpochAt&& epoch_at) {
    if (token.lsn.is_zero()) return TokenState::kReached;
    if (token.lsn > applied.lsn) return applied.epoch > token.epoch ? TokenState::kCut : TokenState::kAhead;
    if (token.epoch == applied.epoch) return TokenState::kReached;
    if (token.epoch > applied.epoch) return TokenState::kCut;
    const std::optional<Epoch> epoch = epoch_at(token.lsn);
    return !epoch || *epoch == token.epoch ? TokenState::kReached : TokenState::kCut;  // too old: it was committed, or is long gone
}

}  // namespace tanist::replica
