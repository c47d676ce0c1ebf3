// SPDX-License-Identifier: Apache-2.0
#include "protocol/read_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/ensure.h"

namespace tanist::protocol {
namespace {
/// A read into less room is not worth its syscall.
constexpr std::size_t kReadBytesMin = 4096;
}  // namespace

ReadBuffer::ReadBuffer(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) { ENSURE(chunk_bytes_ >= kReadBytesMin); }

std::span<std::byte> ReadBuffer::prepare() {
    const std::size_t unread_bytes = end_ - begin_;
    if (unread_bytes == 0 && !shared_) begin_ = end_ = 0;
    const bool frame_fits = begin_ + expected_ <= capacity_;
    const bool room_left = capacity_ - end_ >= kReadBytesMin || (expected_ > unread_bytes && frame_fits);
    // A chunk that one large value needed is let go once it is empty.
    const bool oversized = unread_bytes == 0 && capacity_ > chunk_bytes_ && expected_ <= chunk_bytes_;
    if (!frame_fits || !room_left || oversized) make_room(std::max(expected_, unread_bytes + kReadBytesMin));
    ENSURE(end_ < capacity_);
    return {chunk_.get() + end_, capacity_ - end_};
}

void ReadBuffer::make_room(std::size_t wanted) {
    const std::size_t unread_bytes = end_ - begin_;
    // Where nobody has said how much is to come, what is moved at least doubles: so moving stays linear in what arrives.
    const bool moves_much = expected_ <= unread_bytes && unread_bytes > chunk_bytes_ / 2;
    const std::size_t capacity = std::max({chunk_bytes_, wanted, moves_much ? 2 * unread_bytes : 0});
    if (!shared_ && capacity == capacity_) {
        std::memmove(chunk_.get(), chunk_.get() + begin_, unread_bytes);
    } else {
        std::shared_ptr<std::byte[]> chunk(new std::byte[capacity]);  // left as it is: only what is read costs memory
        if (unread_bytes > 0) std::memcpy(chunk.get(), chunk_.get() + begin_, unread_bytes);
        chunk_ = std::move(chunk);
        capacity_ = capacity;
        shared_ = false;
    }
    begin_ = 0;
    end_ = unread_bytes;
}

void ReadBuffer::commit(std::size_t bytes) {
    ENSURE(bytes <= capacity_ - end_);
    end_ += bytes;
}

void ReadBuffer::append(Bytes bytes) {
    while (!bytes.empty()) {
        const auto room = prepare();
        const std::size_t taken = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), taken);
        commit(taken);
        bytes = bytes.subspan(taken);
    }
}

void ReadBuffer::consume(std::size_t bytes) {
    ENSURE(bytes <= end_ - begin_);
    begin_ += bytes;
    expected_ = 0;
}

std::shared_ptr<const void> ReadBuffer::share() {
    shared_ = true;
    return chunk_;
}

}  // namespace tanist::protocol
