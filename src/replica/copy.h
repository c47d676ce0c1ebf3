// SPDX-License-Identifier: Apache-2.0
// A full copy (S25): the donor streams a checkpoint piece by piece, the receiver asks for each and verifies it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/membership.h"
#include "base/result.h"
#include "core/event.h"
#include "core/message.h"
#include "store/store.h"

namespace tanist::replica {

inline constexpr std::uint32_t kCopyPieceBytes = 1 << 20;
inline constexpr std::uint32_t kDonorPatienceTicks = 1000;    ///< without a request the donor lets the checkpoint go
inline constexpr std::uint32_t kReceiverRepeatTicks = 100;    ///< without a reply the receiver asks again …
inline constexpr std::uint32_t kReceiverPatienceTicks = 500;  ///< … and gives up

/// Serves one copy at a time; a second asker is told to come back. Lets go of the checkpoint when nobody asked for a while.
class CopyDonor {
public:
    explicit CopyDonor(store::Store& store) : store_(store) {}

    /// `membership`: as of the state's position, for the first reply.
    [[nodiscard]] core::CopyReply answer(NodeId asker, const core::CopyRequest& request, const Membership& membership);
    void end(NodeId asker, const core::CopyEnd& end);
    /// The log begins anew, behind what the running copy holds: it would lead nowhere.
    void stop() { checkpoint_.reset(); }
    void tick();
    /// The log must keep what lies above this while a copy runs; nullopt: none runs.
    [[nodiscard]] std::optional<Lsn> pin() const;

private:
    [[nodiscard]] core::CopyReply begin(NodeId asker, const Membership& membership);
    [[nodiscard]] core::CopyReply piece(const core::CopyRequest& request) const;

    store::Store& store_;
    std::unique_ptr<store::Checkpoint> checkpoint_;
    NodeId asker_;
    std::uint64_t copy_ = 0;  ///< number of the running copy; they count up while the process runs
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
    /// Of the checkpoint, once take() has returned its position.
    [[nodiscard]] const Membership& membership() const { return membership_; }
    /// Replaces the state by what was received (after take() returned its position).
    [[nodiscard]] Status install();

private:
    [[nodiscard]] Status begin(const core::CopyReply& reply);
    [[nodiscard]] Status take_piece(const core::CopyReply& reply);
    void skip_finished_files();
    void request_next();
    [[nodiscard]] Error abandon(Error error);

    store::Store& store_;
    Ask ask_;
    NodeId donor_;
    bool running_ = false;
    std::uint64_t copy_ = 0;
    store::Position position_;
    Membership membership_;
    std::vector<core::CopyFile> files_;
    std::uint32_t file_ = 0;
    std::uint64_t offset_ = 0;
    std::unique_ptr<store::CheckpointReceiver> receiver_;
    std::uint32_t silent_ticks_ = 0;
};

}  // namespace tanist::replica
