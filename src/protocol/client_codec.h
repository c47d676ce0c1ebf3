// SPDX-License-Identifier: Apache-2.0
// The native client protocol between structs (protocol/client_message.h) and frames of proto/client.proto, for both sides.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "protocol/client_message.h"
#include "protocol/frame.h"

namespace tanist::protocol::native {

/// What a node takes from its clients; configuration only lowers these.
struct RequestLimits {
    std::size_t key_bytes_max = limits::kKeyBytesMax;
    std::size_t value_bytes_max = limits::kValueBytesMax;
    std::size_t request_bytes_max = limits::kRequestBytesMax;
};
inline constexpr std::size_t kKeysMax = 10'000;         ///< of one GetMany
inline constexpr std::size_t kBatchItemsMax = 100'000;  ///< conditions and commands of one Batch
inline constexpr std::size_t kClientNameBytesMax = 256;
inline constexpr std::size_t kUserBytesMax = 512;                 ///< of a user's name, and of a password
inline constexpr std::size_t kFrameBeforeHelloBytesMax = 65'536;  ///< of who has not introduced itself

/// Node side. A request that is refused comes back as the reply to be sent, `epoch` left to the caller. A reply with id 0 is about
/// the connection: close it behind that.
[[nodiscard]] tl::expected<Request, Reply> decode_request(Bytes frame, const RequestLimits& limits = {});

/// Node side. Appends the frame of `reply`. What does not fit into a frame becomes an error that says so.
void append_to(std::string& out, const Reply& reply);

/// Client side. kInvalidArgument: the frame would pass what nodes take; nothing was appended then.
[[nodiscard]] Status append_to(std::string& out, const Request& request);

/// Client side. kCorrupt: this is no reply of this protocol. An error code from a newer node becomes the one that promises as much.
[[nodiscard]] Result<Reply> decode_reply(Bytes frame);

}  // namespace tanist::protocol::native
