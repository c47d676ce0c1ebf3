// SPDX-License-Identifier: Apache-2.0
#include "server/peer_introduction.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "server/crypto.h"

namespace tanist::server {
namespace {

/// As it travels: u8 1 if there is a password, else 0; u32 node; the nonce.
constexpr std::size_t kIntroductionBytes = 1 + sizeof(std::uint32_t) + kPeerNonceBytes;

}  // namespace

Introduction Introduction::of(const PeerCredentials& credentials) {
    return {.has_password = !credentials.password.empty(), .node = credentials.self, .nonce = random_bytes(kPeerNonceBytes)};
}

std::string Introduction::encode() const {
    std::string out;
    ByteWriter writer(out);
    writer.u8(has_password ? 1 : 0);
    writer.u32(static_cast<std::uint32_t>(node.value));
    return out + nonce;
}

Result<std::optional<Introduction>> take_introduction(protocol::ReadBuffer& buffer) {
    const std::string_view unread = as_text(buffer.unread());
    if (unread.size() < kIntroductionBytes) return std::nullopt;
    ByteReader reader(unread);
    const std::uint8_t has_password = reader.u8();
    Introduction introduction{.has_password = has_password == 1, .node = {reader.u32()}, .nonce = {}};
    if (has_password > 1 || introduction.node.is_zero())
        return fail(ErrorCode::kInvalidArgument, "a node introduces itself in a way that this node does not know");
    introduction.nonce = unread.substr(kIntroductionBytes - kPeerNonceBytes, kPeerNonceBytes);
    buffer.consume(kIntroductionBytes);
    return introduction;
}

std::string peer_proof(const std::string& password, PeerSide side, const Introduction& dialler, const Introduction& receiver) {
    std::string text(side == PeerSide::kDialler ? "tanist peer, dialler" : "tanist peer, receiver");
    return hmac_sha256(password, text + dialler.encode() + receiver.encode());
}

std::string why_unwelcome(const Introduction& dialler, const Introduction& receiver) {
    if (dialler.has_password == receiver.has_password) return {};
    const auto& with = dialler.has_password ? dialler : receiver;
    const auto& without = dialler.has_password ? receiver : dialler;
    return fmt::format("node {} has a security.peer_password and node {} has none: all nodes need the same", with.node.value,
                       without.node.value);
}

std::string wrong_proof(NodeId node) {
    return fmt::format("node {} has another security.peer_password: all nodes need the same", node.value);
}

}  // namespace tanist::server
