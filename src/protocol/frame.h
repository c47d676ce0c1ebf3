// SPDX-License-Identifier: Apache-2.0
// Frames, which carry both the peers' and the native client protocol: a little-endian u32 length, then so many bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "protocol/read_buffer.h"

namespace tanist::protocol {

inline constexpr std::size_t kFrameHeadBytes = sizeof(std::uint32_t);

/// One whole frame, its length not included. Valid as long as the buffer's views are.
struct Frame {
    Bytes bytes;
    ReadBuffer& buffer;

    [[nodiscard]] std::shared_ptr<const void> share() const { return buffer.share(); }
};

/// Takes the next frame out of `buffer`; nullopt: more has to be read. kInvalidArgument: its length passes `frame_bytes_max`,
/// after which nothing on this connection can be told apart any more: say so to the other side and close.
[[nodiscard]] Result<std::optional<Frame>> next_frame(ReadBuffer& buffer, std::size_t frame_bytes_max = limits::kFrameBytesMax);

// -- pieces, between nodes --------------------------------------------------------------------------------------------------------

/// Set in the length of what is a piece of a frame, and no whole one.
inline constexpr std::uint32_t kPieceFlag = 0x8000'0000;
/// A larger frame travels in pieces of at most so many bytes: what is urgent goes between them (drawn in proto/peer.proto). Small, so
/// that on a link of a few Mbit/s nothing urgent waits for long; large enough to be worth a system call.
inline constexpr std::size_t kPieceBytesMax = 128 * limits::kKiB;
static_assert(kFrameHeadBytes + limits::kFrameBytesMax < kPieceFlag);

/// As next_frame(), on a connection where frames may travel in pieces, which are put together in `pieces`.
[[nodiscard]] Result<std::optional<Frame>> next_frame_of_pieces(ReadBuffer& buffer, ReadBuffer& pieces);

// -- how a connection begins -------------------------------------------------------------------------------------------------

/// What the first byte on the client port says.
enum class Dialect : std::uint8_t {
    kNative,  ///< 0x01 'T' 'A' 'N', then frames of proto/client.proto
    kPeer,    ///< 0x02 'T' 'A' 'N': a node that has the wrong port
    kResp,    ///< anything else
};
[[nodiscard]] Dialect dialect_of(std::byte first);

inline constexpr std::string_view kClientPreamble = "\x01TAN";
inline constexpr std::string_view kPeerPreamble = "\x02TAN";  ///< followed by the u32 version of the peer protocol
inline constexpr std::uint32_t kPeerProtocolVersion = 5;

/// What each side of a connection between nodes sends first, whoever dialled.
[[nodiscard]] std::string peer_preamble(std::uint32_t version = kPeerProtocolVersion);

/// Takes the preamble out of `buffer`. False: more has to be read. kInvalidArgument, at the first wrong byte: the other side speaks
/// something else, or another version; answer with the error as a frame and close.
[[nodiscard]] Result<bool> take_client_preamble(ReadBuffer& buffer);
[[nodiscard]] Result<bool> take_peer_preamble(ReadBuffer& buffer);

}  // namespace tanist::protocol
