// SPDX-License-Identifier: Apache-2.0
// What this node may serve now, and how far behind it is: drawn from the core's view (S18, S19).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/view.h"
#include "server/client.h"
#include "server/lag_meter.h"

namespace tanist::server {

class Routing {
public:
    /// Takes the core's view, at every change and at every tick, so that silence and lag grow with time.
    void refresh(core::View view, std::uint64_t now_ms);

    [[nodiscard]] const core::View& view() const { return view_; }
    [[nodiscard]] bool is_master() const { return view_.role == core::Role::kMaster; }
    /// A stale or session read may be answered from the state here, as far as its bound of lag lets it.
    [[nodiscard]] bool serves_reads() const { return serves_reads_; }
    /// How old what is read here may be; of an open master 0. As of the last refresh.
    [[nodiscard]] std::uint64_t lag_ms() const { return lag_ms_; }
    /// The same now: a process that stood still has not been told yet by a tick how long it was deaf.
    [[nodiscard]] std::uint64_t lag_ms_at(std::uint64_t now_ms) const;
    /// The lag of another member; nullopt: not known here.
    [[nodiscard]] std::optional<std::uint64_t> lag_ms(NodeId node) const;

    /// Writes are held back: they go on here, or at the master that takes over (S17).
    [[nodiscard]] bool is_pausing() const { return view_.pausing; }
    /// A master that cannot take writes yet (S15), and will soon, or will be none.
    [[nodiscard]] bool is_opening() const { return is_master() && !view_.open; }
    /// nullopt: propose it, or hold it back. Otherwise why not, and nothing is executed.
    [[nodiscard]] std::optional<Failure> refuse_write() const;
    /// Why serves_reads() is false, or the lag too long.
    [[nodiscard]] Failure refuse_read(std::uint64_t now_ms) const;
    /// " (master: node 2 at 10.0.0.2:7401)", or "" when none is known.
    [[nodiscard]] std::string directions() const;

private:
    /// `commit` is what is known to be committed: at a slave, what its master last told.
    [[nodiscard]] std::uint64_t lag_of(NodeId node, Lsn applied, Lsn commit, std::uint64_t silence_ms, std::uint64_t now_ms);

    core::View view_;
    bool serves_reads_ = false;
    std::uint64_t lag_ms_ = 0, refreshed_at_ms_ = 0;
    std::map<NodeId, LagMeter> meters_;
    std::map<NodeId, std::uint64_t> lag_ms_of_;
};

}  // namespace tanist::server
