// SPDX-License-Identifier: Apache-2.0
// Whoever asks something, as the paths of reads and writes see it: a ticket for each question, and one answer to each ticket.
#pragma once

#include <cstdint>
#include <string>

#include "base/types.h"
#include "commands/request.h"
#include "protocol/client_message.h"

namespace tanist::server {

using protocol::native::ReadLevel;
using protocol::native::WriteLevel;
using FailureCode = protocol::native::Code;

/// Why a request was not, or may not have been, executed; the code tells which (S20).
struct Failure {
    FailureCode code = FailureCode::kTryAgain;
    std::string message;
};
/// Codes that come with directions where to go instead.
[[nodiscard]] constexpr bool wants_topology(FailureCode code) {
    return code == FailureCode::kNotMaster || code == FailureCode::kNoQuorum || code == FailureCode::kTooStale;
}
/// True: nothing was executed and nothing will be.
[[nodiscard]] constexpr bool is_certain(FailureCode code) { return code < FailureCode::kSessionExpired; }

struct WriteResult {
    const commands::Outcome& outcome;
    Rank rank;           ///< of the entry that it is in: the session's next token
    WriteLevel reached;  ///< kMaster: answered before it was executed, so `outcome` tells nothing but that it is in the log
};

/// Called on the loop thread, maybe from within the call that asked. A ticket is the client's own and answered once.
class Client {
public:
    virtual ~Client() = default;
    virtual void on_written(std::uint64_t ticket, const WriteResult& result) = 0;
    /// The state here is as fresh as was asked for: read now.
    virtual void on_read_ready(std::uint64_t ticket) = 0;
    virtual void on_failed(std::uint64_t ticket, const Failure& failure) = 0;
    /// Told that another node is master, it sends its write there. Otherwise the server does that for it, after a switchover (S17).
    [[nodiscard]] virtual bool follows_redirects() const { return true; }
    /// It was here when mastership went elsewhere, and ends as soon as it can.
    [[nodiscard]] virtual bool is_parting() const { return false; }
};

}  // namespace tanist::server
