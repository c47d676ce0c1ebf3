// SPDX-License-Identifier: Apache-2.0
// What is to be said to one peer and is not with the kernel yet: urgent messages go before bulky ones, and between their pieces.
#pragma once

#include <array>
#include <asio/buffer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>

#include "core/message.h"
#include "protocol/peer_codec.h"

namespace tanist::server {

class Outbox {
public:
    void push(core::Lane lane, protocol::EncodedFrame frame);

    [[nodiscard]] bool empty() const { return bytes_ == 0; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// The next bytes to send, in as many of `buffers` as that takes or there are. The first of them are the same until consume().
    [[nodiscard]] std::span<asio::const_buffer> next(std::span<asio::const_buffer> buffers);
    /// The first `bytes` of what next() gave are with the kernel.
    void consume(std::size_t bytes);

private:
    /// A whole frame, or a piece of one that travels in pieces.
    struct Item {
        std::shared_ptr<const protocol::EncodedFrame> large;  ///< null: a whole frame, `small`
        protocol::EncodedFrame small;
        std::array<std::byte, protocol::kFrameHeadBytes> head{};  ///< of a piece
        std::size_t offset = 0, bytes = 0;                        ///< of the piece, in `large`

        [[nodiscard]] std::size_t size() const { return large == nullptr ? small.size() : head.size() + bytes; }
        template <class Each>
        void for_each_piece(Each&& each) const;
    };
    void choose();
    void cut_piece();

    std::deque<protocol::EncodedFrame> urgent_, bulk_;
    std::shared_ptr<const protocol::EncodedFrame> large_;  ///< its pieces are being chosen
    std::size_t large_chosen_ = 0;                         ///< bytes of it
    std::deque<Item> chosen_;     ///< in the order in which they go; so little that what is urgent and comes now does not wait for long
    std::size_t front_sent_ = 0;  ///< bytes of the first one chosen
    std::size_t bytes_ = 0;
};

}  // namespace tanist::server
