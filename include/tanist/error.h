// SPDX-License-Identifier: Apache-2.0
// What a call answers when it has no result: what went wrong, and whether the cluster has executed it all the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tanist::client {

/// What became of a request that ended in an Error. Of reads it is always kRefused: they change nothing.
enum class Outcome : std::uint8_t {
    kRefused,  ///< never executed, and never will be: repeating it is safe
    kUnknown,  ///< executed, or not, or yet to be: read before repeating a write
    kDone,     ///< executed, but its reply is lost (kAnswerForgotten)
};

/// Tells a program what it can do; the message tells a person.
enum class ErrorCode : std::uint8_t {
    kInvalidArgument,  ///< the request or an option is wrong: correct it
    kTooLarge,         ///< a key, a value or the request is beyond its limit
    kUnavailable,      ///< no node took it by the deadline: the message names the nodes tried and what each said
    kOverloaded,       ///< too many requests in flight in this client: wait for some of their answers
    kOutcomeUnknown,   ///< a write was sent, and no answer came by the deadline
    kSessionExpired,   ///< the cluster has forgotten this client's session, so it cannot tell whether the write was executed
    kAnswerForgotten,  ///< executed, but its reply is no longer kept
    kStaleToken,       ///< what this session has seen was lost in a failover (only weakly acknowledged writes can be); the client's
                       ///< token starts anew, so that later reads succeed
    kTooStale,         ///< no node can read as fresh as asked
    kNotAnInteger,     ///< increment: the key holds something else
    kOverflow,         ///< increment: the result would leave 64 bits
    kNotMaster,        ///< only with Options::direct: this node takes no writes
    kWrongCluster,     ///< the node belongs to another cluster than Options::cluster_name, or than the first one that answered
    kUnsupported,      ///< the node does not speak this version of the protocol, or does not know this request
    kUnauthenticated,  ///< no such user, or another password: Options::user and password; never tried again
    kNotPermitted,     ///< this user may not do that: the message names the command or the key
    kClosed,           ///< the client was destroyed before the answer came
};

[[nodiscard]] std::string_view to_string(ErrorCode code);
[[nodiscard]] std::string_view to_string(Outcome outcome);

struct Error {
    ErrorCode code = ErrorCode::kInvalidArgument;
    Outcome outcome = Outcome::kRefused;
    std::string message;

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;

}  // namespace tanist::client
