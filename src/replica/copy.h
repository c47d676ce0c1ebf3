// SPDX-License-Identifier: Apache-2.0
// A full copy (S25): the donor streams a checkpoint piece by piece, the receiver asks for each and verifies it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/membership.h"
#include "base/result.h"
#include "core/event.h"
#include "core/message.h"
#include "store/store.h"

namespace tanist::replica {

inline constexpr std::uint32_t kCopyPieceBytes = 1 << 20;

/// Serves one copy at a time; a second asker is told to come back. Lets go of the checkpoint when nobody asked for a while.
class CopyDonor {
public:
    explicit CopyDonor(store::Store& store) : store_(store) {}

    [[nodiscard]] core::CopyReply answer(NodeId asker, const core::CopyRequest& request);
    void end(NodeId asker, const core::CopyEnd& end);
    void tick();
    /// The log must keep what lies above this while a copy runs; nullopt: none runs.
    [[nodiscard]] std::optional<Lsn> pin() const;

private:
    store::Store& store_;
    std::unique_ptr<store::Checkpoint> checkpoint_;
    NodeId asker_;
    std::uint64_t copy_ = 0;
    std::uint32_t idle_ticks_ = 0;
};

/// Pulls one copy from one donor, each piece asked for again when it does not come.
class CopyReceiver {
public:
    using Ask = std::function<void(NodeId donor, core::Body request)>;
    CopyReceiver(store::Store& store, Ask ask) : store_(store), ask_(std::move(ask)) {}

    void start(NodeId donor);
    void stop();
    /// Takes a piece. Returns the position when the copy is complete, an error when it failed (and is stopped), nullopt otherwise.
    [[nodiscard]] std::optional<Result<store::Position>> take(NodeId from, const core::CopyReply& reply);
    /// Repeats a request that was not answered; an error when the donor stays silent.
    [[nodiscard]] std::optional<Error> tick();
    /// Replaces the state by what was received (after take() returned its position).
    [[nodiscard]] Status install();

private:
    void request_next();

    store::Store& store_;
    Ask ask_;
    NodeId donor_;
    bool running_ = false;
    std::uint64_t copy_ = 0;
    store::Position position_;
    std::vector<core::CopyFile> files_;
    std::uint32_t file_ = 0;
    std::uint64_t offset_ = 0;
    std::unique_ptr<store::CheckpointReceiver> receiver_;
    std::uint32_t silent_ticks_ = 0;
};

}  // namespace tanist::replica
