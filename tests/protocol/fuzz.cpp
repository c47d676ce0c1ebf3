// SPDX-License-Identifier: Apache-2.0
#include "tests/protocol/fuzz.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "protocol/client_codec.h"
#include "protocol/peer_codec.h"
#include "protocol/resp_decoder.h"

namespace tanist::protocol {
namespace {

Bytes body_of(const std::string& frame) { return as_bytes(frame).subspan(kFrameHeadBytes); }

struct RespStory {
    std::vector<std::vector<std::string>> commands;
    std::string error;
    friend bool operator==(const RespStory&, const RespStory&) = default;
};

RespStory decode_resp(Bytes bytes, std::size_t piece_bytes) {
    RespStory story;
    ReadBuffer buffer(4096);
    RespDecoder decoder;
    while (!bytes.empty()) {
        const Bytes piece = bytes.first(std::min(piece_bytes, bytes.size()));
        bytes = bytes.subspan(piece.size());
        buffer.append(piece);
        for (;;) {
            const auto command = decoder.next(buffer);
            if (!command) {
                story.error = command.error().message;
                return story;
            }
            if (!*command) break;
            ENSURE(!(*command)->empty());
            story.commands.emplace_back((*command)->begin(), (*command)->end());
        }
    }
    return story;
}

}  // namespace

void fuzz_peer(Bytes bytes) {
    const auto message = decode_message(bytes, nullptr);
    if (!message) return;
    std::string again;
    encode(*message).append_to(again);
    const auto second = decode_message(body_of(again), nullptr);
    ENSURE(second.has_value());
    ENSURE(*second == *message);
}

void fuzz_peer_envelope(Bytes bytes) {
    if (bytes.size() < 2) return;
    const std::size_t envelope_bytes = std::min<std::size_t>(load_le<std::uint16_t>(bytes.data()), bytes.size() - 2);
    std::string summed;
    ByteWriter(summed).u32(static_cast<std::uint32_t>(envelope_bytes));
    summed += as_text(bytes.subspan(2, envelope_bytes));
    std::string frame;
    ByteWriter(frame).u32(crc32c(as_bytes(summed)));
    frame += summed;
    frame += as_text(bytes.subspan(2 + envelope_bytes));
    fuzz_peer(as_bytes(frame));
}

void fuzz_request(Bytes bytes) {
    const auto request = native::decode_request(bytes);
    if (!request) return;
    std::string again;
    ENSURE(native::append_to(again, *request).has_value());
    const auto second = native::decode_request(body_of(again));
    ENSURE(second.has_value());
    ENSURE(*second == *request);
}

void fuzz_reply(Bytes bytes) {
    const auto reply = native::decode_reply(bytes);
    if (!reply) return;
    std::string again;
    native::append_to(again, *reply);
    const auto second = native::decode_reply(body_of(again));
    ENSURE(second.has_value());
    ENSURE(*second == *reply);
}

void fuzz_resp(Bytes bytes) {
    const RespStory at_once = decode_resp(bytes, bytes.size());
    ENSURE(decode_resp(bytes, 1) == at_once);
    ENSURE(decode_resp(bytes, 7) == at_once);
}

void fuzz_frames(Bytes bytes) {
    ReadBuffer buffer(4096);
    buffer.append(bytes);
    for (;;) {
        const auto frame = next_frame(buffer);
        if (!frame || !*frame) return;
        fuzz_peer((*frame)->bytes);
        fuzz_request((*frame)->bytes);
        fuzz_reply((*frame)->bytes);
    }
}

}  // namespace tanist::protocol
