// SPDX-License-Identifier: Apache-2.0
// How two nodes get to know each other, behind the preamble and before the first message: who speaks, and the proof that it knows the
// secret of the cluster's nodes (security.peer_password). proto/peer.proto has the bytes in their order.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/number.h"
#include "base/result.h"
#include "base/types.h"
#include "protocol/read_buffer.h"

namespace tanist::server {

struct PeerCredentials {
    NodeId self;
    std::string password;  ///< empty: nothing is to be proved
};

struct Introduction {
    bool has_password = false;
    NodeId node;
    std::string nonce;  ///< another one on each connection

    [[nodiscard]] static Introduction of(const PeerCredentials& credentials);
    [[nodiscard]] std::string encode() const;
};

inline constexpr std::size_t kPeerNonceBytes = 32, kPeerProofBytes = 32;

/// nullopt: more has to be read.
[[nodiscard]] Result<std::optional<Introduction>> take_introduction(protocol::ReadBuffer& buffer);
/// Of `side` to the other: it names both sides' nodes and nonces, so it is good for nothing else.
enum class PeerSide : std::uint8_t { kDialler, kReceiver };
[[nodiscard]] std::string peer_proof(const std::string& password, PeerSide side, const Introduction& dialler, const Introduction& receiver);

/// What the receiver says when `dialler` has a password and it has none, or the other way; empty: both or neither.
[[nodiscard]] std::string why_unwelcome(const Introduction& dialler, const Introduction& receiver);
/// What either says when the other's proof is wrong.
[[nodiscard]] std::string wrong_proof(NodeId node);

}  // namespace tanist::server
