// SPDX-License-Identifier: Apache-2.0
// What nodes say to each other, between structs (core/message.h) and frames; the wire form is drawn in proto/peer.proto.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/entry.h"
#include "base/limits.h"
#include "base/result.h"
#include "core/message.h"
#include "protocol/frame.h"

namespace tanist::protocol {

/// What one message may carry in entries, or in a piece of a checkpoint: the rest of a frame is room for the envelope.
inline constexpr std::size_t kEntriesBytesMax = limits::kFrameBytesMax - limits::kMiB;
static_assert(kEntriesBytesMax >= limits::kEntryBytesMax);

/// A frame as it goes to the socket: the head, then each entry's bytes, which are shared and not copied.
struct EncodedFrame {
    std::string head;  ///< the length included
    std::vector<Entry> entries;

    [[nodiscard]] std::size_t size() const;
    /// Calls `each(Bytes)` for every piece in order: what writev() is to be given.
    template <class Each>
    void for_each_piece(Each&& each) const {
        each(as_bytes(head));
        for (const Entry& entry : entries) each(entry.bytes());
    }
    void append_to(std::string& out) const;
};

/// Entries of one message must not exceed kEntriesBytesMax together: the core bounds what it sends.
[[nodiscard]] EncodedFrame encode(const core::Message& message);

/// The message in `frame`. Its entries keep the frame's buffer alive and share its bytes.
///   kCorrupt          what arrived is not what was sent: end the connection
///   kInvalidArgument  a whole frame that says what this node does not know (a newer node's body) or does not allow: log and skip it
[[nodiscard]] Result<core::Message> decode_message(const Frame& frame);
/// The same from bytes that `owner` keeps alive: for tests and fuzzers.
[[nodiscard]] Result<core::Message> decode_message(Bytes frame, const std::shared_ptr<const void>& owner);

}  // namespace tanist::protocol
