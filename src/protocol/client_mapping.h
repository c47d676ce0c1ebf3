// SPDX-License-Identifier: Apache-2.0
// The native client protocol and the rest of the node: requests become what is logged, outcomes and views become replies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "commands/request.h"
#include "commands/state_machine.h"
#include "core/view.h"
#include "protocol/client_message.h"

namespace tanist::protocol::native {

// -- writes --------------------------------------------------------------------------------------------------------------------

/// What has to be remembered of a write until it is answered.
enum class WriteKind : std::uint8_t {
    kPut,
    kDelete,
    kCompareAndSet,
    kCompareAndDelete,
    kIncrement,
    kBatch,
    kRegisterSession,
    kKeepSession,
    kCloseSession
};

/// nullopt: not a write, but a read, a Hello, a Status or an operation of the cluster.
[[nodiscard]] std::optional<WriteKind> write_kind(const RequestBody& body);

/// What is logged for a write. `request` has a write_kind().
[[nodiscard]] commands::Logged to_logged(Request request);

/// The body that answers a write of `kind`, and whether it was replayed. The caller adds id, epoch, and the epoch of at.lsn. `session`
/// is the request's. An outcome may be the kept one of another request, whose sequence number a client has used twice: then an error.
[[nodiscard]] Reply to_reply(WriteKind kind, SessionId session, commands::Outcome outcome);

// -- reads ---------------------------------------------------------------------------------------------------------------------

inline constexpr std::uint32_t kScanRowsDefault = 1000;
inline constexpr std::uint32_t kScanRowsMax = 10'000;

/// The range that a Scan means: its prefix and its bounds at once, its limit within ours. An empty one where they do not meet.
[[nodiscard]] commands::KeyRange to_range(const Scan& scan);
[[nodiscard]] Value to_value(std::optional<commands::StoredValue> stored);
[[nodiscard]] Page to_page(commands::Page page, bool keys_only);

// -- views ---------------------------------------------------------------------------------------------------------------------

[[nodiscard]] Topology to_topology(const core::View& view);
[[nodiscard]] StatusReply to_status(const core::View& view);

/// Why this node does not do it, in terms of what the client can do: a refusal that depends on who is master names one, or none.
[[nodiscard]] ErrorReply to_error(ErrorCode code, std::string message, const core::View& view);
/// What is wrong with a Hello for this cluster; the caller closes behind it.
[[nodiscard]] std::optional<ErrorReply> check(const Hello& hello, std::string_view cluster_name);

}  // namespace tanist::protocol::native
