// SPDX-License-Identifier: Apache-2.0
#include "protocol/frame.h"

#include <algorithm>
#include <string>

namespace tanist::protocol {
namespace {

/// The first bytes as an operator wants to see them: text as text, the rest in hexadecimal.
std::string describe(Bytes bytes) {
    std::string out;
    for (const char c : as_text(bytes.first(std::min<std::size_t>(bytes.size(), 16)))) {
        if (c >= ' ' && c <= '~' && c != '\\') {
            out += c;
        } else {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

/// How far `unread` begins like `wanted`: an error at the first difference, false while it is a beginning only.
Result<bool> begins_with(Bytes unread, std::string_view wanted, std::string_view who) {
    const auto seen = as_text(unread.first(std::min(unread.size(), wanted.size())));
    if (seen != wanted.substr(0, seen.size())) {
        return fail(ErrorCode::kInvalidArgument, "a connection {} starts with '{}', this one with '{}'", who, describe(as_bytes(wanted)),
                    describe(unread));
    }
    return seen.size() == wanted.size();
}

}  // namespace

Result<std::optional<Frame>> next_frame(ReadBuffer& buffer, std::size_t frame_bytes_max) {
    const Bytes unread = buffer.unread();
    if (unread.size() < kFrameHeadBytes) return std::nullopt;
    const std::size_t size = load_le<std::uint32_t>(unread.data());
    if (size > frame_bytes_max) {
        return fail(ErrorCode::kInvalidArgument, "a frame of {} bytes: at most {} are allowed", size, frame_bytes_max);
    }
    if (unread.size() - kFrameHeadBytes < size) {
        buffer.expect(kFrameHeadBytes + size);
        return std::nullopt;
    }
    buffer.consume(kFrameHeadBytes + size);
    return Frame{unread.subspan(kFrameHeadBytes, size), buffer};
}

Result<std::optional<Frame>> next_frame_of_pieces(ReadBuffer& buffer, ReadBuffer& pieces) {
    while (true) {
        const Bytes unread = buffer.unread();
        if (unread.size() < kFrameHeadBytes) return std::nullopt;
        const auto head = load_le<std::uint32_t>(unread.data());
        if ((head & kPieceFlag) == 0) return next_frame(buffer);
        const std::size_t size = head & ~kPieceFlag;
        if (size == 0 || size > kPieceBytesMax) {
            return fail(ErrorCode::kInvalidArgument, "a piece of {} bytes: 1 to {} are allowed", size, kPieceBytesMax);
        }
        if (unread.size() - kFrameHeadBytes < size) {
            buffer.expect(kFrameHeadBytes + size);
            return std::nullopt;
        }
        pieces.append(unread.subspan(kFrameHeadBytes, size));
        buffer.consume(kFrameHeadBytes + size);
        auto frame = next_frame(pieces);
        if (!frame || *frame) return frame;
    }
}

Dialect dialect_of(std::byte first) {
    if (first == std::byte{0x01}) return Dialect::kNative;
    if (first == std::byte{0x02}) return Dialect::kPeer;
    return Dialect::kResp;
}

std::string peer_preamble(std::uint32_t version) {
    std::string out(kPeerPreamble);
    ByteWriter(out).u32(version);
    return out;
}

Result<bool> take_client_preamble(ReadBuffer& buffer) {
    const auto whole = begins_with(buffer.unread(), kClientPreamble, "from a client");
    if (whole.value_or(false)) buffer.consume(kClientPreamble.size());
    return whole;
}

Result<bool> take_peer_preamble(ReadBuffer& buffer) {
    const Bytes unread = buffer.unread();
    const auto whole = begins_with(unread, kPeerPreamble, "between nodes");
    if (!whole || !*whole || unread.size() < kPeerPreamble.size() + sizeof(std::uint32_t)) return whole ? Result<bool>(false) : whole;
    const auto version = load_le<std::uint32_t>(unread.data() + kPeerPreamble.size());
    if (version != kPeerProtocolVersion) {
        return fail(ErrorCode::kInvalidArgument, "version {} of the peer protocol: this node speaks version {}", version,
                    kPeerProtocolVersion);
    }
    buffer.consume(kPeerPreamble.size() + sizeof(std::uint32_t));
    return true;
}

}  // namespace tanist::protocol
