// SPDX-License-Identifier: Apache-2.0
// What a connection has read and not yet understood: the socket writes straight into it, decoders take views of it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/bytes.h"

namespace tanist::protocol {

/// One connection's, one thread's. The order of use is: prepare(), read from the socket, commit(), then take what is whole with
/// next_frame() or RespDecoder::next() until there is nothing more, and again.
/// Views handed out stay valid until the next prepare(), or as long as a share() taken before it is held.
class ReadBuffer {
public:
    /// Memory is taken in pieces of `chunk_bytes`, the first one at the first prepare(): an idle connection costs nothing.
    explicit ReadBuffer(std::size_t chunk_bytes = 64 * 1024);

    /// Room for the next read, never empty. What is unread moves only when the room behind it has run out.
    [[nodiscard]] std::span<std::byte> prepare();
    /// The first `bytes` of the room that prepare() gave have been written.
    void commit(std::size_t bytes);
    /// Copies `bytes` in; for tests and where something else has read already.
    void append(Bytes bytes);

    [[nodiscard]] Bytes unread() const { return {chunk_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t bytes);
    /// A decoder knows that `bytes`, counted from the start of what is unread, belong together: the next prepare() makes room
    /// for them at once, so that a large value is moved at most once.
    void expect(std::size_t bytes) { expected_ = bytes; }

    /// Keeps everything handed out so far where it is for as long as the share is held, by any thread.
    [[nodiscard]] std::shared_ptr<const void> share();

    /// Bytes of memory held, shares of older chunks not counted.
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

private:
    void make_room(std::size_t wanted);

    std::size_t chunk_bytes_;
    std::shared_ptr<std::byte[]> chunk_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0, end_ = 0;  ///< of what is unread
    std::size_t expected_ = 0;
    bool shared_ = false;  ///< somebody may still look at what was consumed: it is not written over
};

}  // namespace tanist::protocol
