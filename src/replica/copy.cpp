// SPDX-License-Identifier: Apache-2.0
#include "replica/copy.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/ensure.h"

namespace tanist::replica {
namespace {

core::CopyReply refusal(std::string why) {
    core::CopyReply reply;
    reply.error = std::move(why);
    return reply;
}

}  // namespace

// -- donor ---------------------------------------------------------------------------------------------------------------

core::CopyReply CopyDonor::answer(NodeId asker, const core::CopyRequest& request, const Membership& membership) {
    if (request.copy == 0) return begin(asker, membership);
    if (checkpoint_ == nullptr || request.copy != copy_ || asker != asker_) {
        return refusal(fmt::format("copy {} is not running here", request.copy));
    }
    idle_ticks_ = 0;
    return piece(request);
}

core::CopyReply CopyDonor::begin(NodeId asker, const Membership& membership) {
    if (checkpoint_ != nullptr && asker != asker_) return refusal(fmt::format("busy with a copy for node {}", asker_.value));
    checkpoint_.reset();  // the same asker begins anew: its old checkpoint goes before a new one is made
    auto made = store_.checkpoint();
    if (!made) return refusal(fmt::format("no checkpoint could be made: {}", made.error().message));
    checkpoint_ = std::move(*made);
    asker_ = asker;
    ++copy_;
    idle_ticks_ = 0;
    core::CopyReply reply{.copy = copy_,
                          .position = checkpoint_->position().applied,
                          .timestamp = checkpoint_->position().timestamp,
                          .membership = membership};
    for (const auto& file : checkpoint_->files()) reply.files.push_back({file.name, file.bytes});
    return reply;
}

core::CopyReply CopyDonor::piece(const core::CopyRequest& request) const {
    if (request.file >= checkpoint_->files().size()) {
        return refusal(fmt::format("file {}: the checkpoint has {}", request.file, checkpoint_->files().size()));
    }
    auto data = checkpoint_->read(request.file, request.offset, kCopyPieceBytes);
    if (!data) return refusal(fmt::format("{}: {}", checkpoint_->files()[request.file].name, data.error().message));
    core::CopyReply reply{.copy = copy_, .position = checkpoint_->position().applied, .file = request.file, .offset = request.offset};
    reply.checksum = crc32c(as_bytes(*data));
    reply.data = std::move(*data);
    return reply;
}

void CopyDonor::end(NodeId asker, const core::CopyEnd& end) {
    if (asker == asker_ && end.copy == copy_) checkpoint_.reset();
}

void CopyDonor::tick() {
    if (checkpoint_ != nullptr && ++idle_ticks_ > kDonorPatienceTicks) checkpoint_.reset();
}

std::optional<Lsn> CopyDonor::pin() const {
    if (checkpoint_ == nullptr) return std::nullopt;
    return checkpoint_->position().applied.lsn;
}

// -- receiver --------------------------------------------------------------------------------------------------------------

void CopyReceiver::start(NodeId donor) {
    stop();
    donor_ = donor;
    running_ = true;
    silent_ticks_ = 0;
    ask_(donor_, core::CopyRequest{});
}

void CopyReceiver::stop() {
    if (running_ && copy_ != 0) ask_(donor_, core::CopyEnd{copy_});
    running_ = false;
    copy_ = 0;
    files_.clear();
    file_ = 0;
    offset_ = 0;
    receiver_.reset();
}

Error CopyReceiver::abandon(Error error) {
    stop();
    return error;
}

std::optional<Result<store::Position>> CopyReceiver::take(NodeId from, const core::CopyReply& reply) {
    if (!running_ || from != donor_) return std::nullopt;
    if (reply.copy == 0) {
        return fail(abandon({ErrorCode::kUnavailable, fmt::format("node {} gives no copy: {}", donor_.value, reply.error)}));
    }
    const bool is_first = !reply.files.empty();
    if (is_first != (copy_ == 0)) return std::nullopt;  // a late or repeated answer
    if (!is_first && (reply.copy != copy_ || reply.file != file_ || reply.offset != offset_)) return std::nullopt;
    silent_ticks_ = 0;
    if (Status taken = is_first ? begin(reply) : take_piece(reply); !taken) return fail(abandon(taken.error()));
    skip_finished_files();
    if (file_ < files_.size()) {
        request_next();
        return std::nullopt;
    }
    // What a donor's disk has spoiled must not end this process: it is found out before the core counts on it.
    if (Status whole = receiver_->verify(position_); !whole) {
        return fail(abandon({whole.error().code, fmt::format("copy from node {}: {}", donor_.value, whole.error().message)}));
    }
    ask_(donor_, core::CopyEnd{copy_});
    running_ = false;
    return position_;
}

Status CopyReceiver::begin(const core::CopyReply& reply) {
    auto receiver = store_.receive();
    if (!receiver) return fail(receiver.error(), "preparing to take in a checkpoint");
    receiver_ = std::move(*receiver);
    copy_ = reply.copy;
    position_ = {reply.position, reply.timestamp};
    membership_ = reply.membership;
    files_ = reply.files;
    // An empty file has no piece that would name it.
    for (const auto& file : files_) {
        if (file.bytes != 0) continue;
        if (Status written = receiver_->write(file.name, {}); !written) return written;
    }
    return {};
}

Status CopyReceiver::take_piece(const core::CopyReply& reply) {
    const core::CopyFile& file = files_[file_];
    if (crc32c(as_bytes(reply.data)) != reply.checksum) {
        return fail(ErrorCode::kCorrupt, "copy from node {}: {} at offset {}: wrong checksum", donor_.value, file.name, offset_);
    }
    if (reply.data.empty() || reply.data.size() > file.bytes - offset_) {
        return fail(ErrorCode::kCorrupt, "copy from node {}: {} at offset {}: {} bytes came, the file has {}", donor_.value, file.name,
                    offset_, reply.data.size(), file.bytes);
    }
    offset_ += reply.data.size();
    return receiver_->write(file.name, as_bytes(reply.data));
}

void CopyReceiver::skip_finished_files() {
    while (file_ < files_.size() && offset_ == files_[file_].bytes) {
        ++file_;
        offset_ = 0;
    }
}

void CopyReceiver::request_next() { ask_(donor_, core::CopyRequest{.copy = copy_, .file = file_, .offset = offset_}); }

std::optional<Error> CopyReceiver::tick() {
    if (!running_) return std::nullopt;
    ++silent_ticks_;
    if (silent_ticks_ >= kReceiverPatienceTicks) {
        return abandon({ErrorCode::kTimeout, fmt::format("node {} stopped answering in the middle of a copy", donor_.value)});
    }
    if (silent_ticks_ % kReceiverRepeatTicks == 0) request_next();  // file 0 of copy 0 begins a copy, as at the start
    return std::nullopt;
}

Status CopyReceiver::install() {
    ENSURE(receiver_ != nullptr);
    Status installed = receiver_->install(position_);
    receiver_.reset();
    copy_ = 0;
    files_.clear();
    file_ = 0;
    offset_ = 0;
    return installed;
}

}  // namespace tanist::replica
