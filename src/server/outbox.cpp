// SPDX-License-Identifier: Apache-2.0
#include "server/outbox.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"

namespace tanist::server {

using protocol::EncodedFrame;
using protocol::kPieceBytesMax;

template <class Each>
void Outbox::Item::for_each_piece(Each&& each) const {
    if (large == nullptr) return small.for_each_piece(each);
    each(Bytes(head));
    std::size_t skip = offset, left = bytes;
    large->for_each_piece([&](Bytes part) {
        const std::size_t skipped = std::min(skip, part.size());
        skip -= skipped;
        const Bytes taken = part.subspan(skipped, std::min(left, part.size() - skipped));
        left -= taken.size();
        if (!taken.empty()) each(taken);
    });
}

void Outbox::push(core::Lane lane, EncodedFrame frame) {
    bytes_ += frame.size();
    (lane == core::Lane::kUrgent ? urgent_ : bulk_).push_back(std::move(frame));
}

/// Everything that is urgent, then what is bulky up to the size of a piece.
void Outbox::choose() {
    for (; !urgent_.empty(); urgent_.pop_front()) chosen_.push_back({.small = std::move(urgent_.front())});
    for (std::size_t bulk_bytes = 0; bulk_bytes < kPieceBytesMax && (large_ != nullptr || !bulk_.empty());) {
        if (large_ != nullptr || bulk_.front().size() > kPieceBytesMax) {
            cut_piece();
        } else {
            chosen_.push_back({.small = std::move(bulk_.front())});
            bulk_.pop_front();
        }
        bulk_bytes += chosen_.back().size();
    }
}

void Outbox::cut_piece() {
    if (large_ == nullptr) {
        large_ = std::make_shared<const EncodedFrame>(std::move(bulk_.front()));
        bulk_.pop_front();
        large_chosen_ = 0;
    }
    const std::size_t left = large_->size() - large_chosen_;
    Item& piece = chosen_.emplace_back();
    piece.large = large_;
    piece.offset = large_chosen_;
    piece.bytes = std::min(left, kPieceBytesMax);
    store_le(piece.head.data(), static_cast<std::uint32_t>(piece.bytes) | protocol::kPieceFlag);
    bytes_ += piece.head.size();
    large_chosen_ += piece.bytes;
    if (piece.bytes == left) large_.reset();
}

std::span<asio::const_buffer> Outbox::next(std::span<asio::const_buffer> buffers) {
    if (chosen_.empty()) choose();
    std::size_t count = 0, skip = front_sent_;
    for (auto item = chosen_.begin(); item != chosen_.end() && count < buffers.size(); ++item) {
        item->for_each_piece([&](Bytes part) {
            const std::size_t skipped = std::min(skip, part.size());
            skip -= skipped;
            if (skipped < part.size() && count < buffers.size())
                buffers[count++] = asio::buffer(part.data() + skipped, part.size() - skipped);
        });
    }
    return buffers.first(count);
}

void Outbox::consume(std::size_t bytes) {
    ENSURE(bytes <= bytes_);
    bytes_ -= bytes;
    front_sent_ += bytes;
    while (!chosen_.empty() && front_sent_ >= chosen_.front().size()) {
        front_sent_ -= chosen_.front().size();
        chosen_.pop_front();
    }
    ENSURE(!chosen_.empty() || front_sent_ == 0);
}

}  // namespace tanist::server
