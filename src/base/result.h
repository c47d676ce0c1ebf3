// SPDX-License-Identifier: Apache-2.0
// What may fail returns a Result<T>, or a Status where there is no value: an expected failure is a value, never an exception.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace tanist {

/// Says what the caller can do about it; the message says what, where, and which value.
enum class ErrorCode {
    kInvalidArgument,  ///< the caller's input is wrong: correct it
    kNotFound,         ///< no such key, file or position
    kUnavailable,      ///< never executed and never will be: try again later, or elsewhere
    kNotMaster,        ///< never executed: the topology that comes with it says where to go
    kOverloaded,       ///< never executed: slow down, then retry
    kTimeout,          ///< the deadline passed; of a write: the outcome is unknown
    kOutcomeUnknown,   ///< the write may have been or may yet be executed
    kConflict,         ///< a condition did not hold: nothing was changed
    kSessionExpired,   ///< the session is unknown: register a new one, and check before repeating the write (S21)
    kStaleToken,       ///< a session token names an entry that was cut: what the session saw is gone (S18)
    kCorrupt,          ///< bytes that fail their checksum or cannot be decoded
    kRecycled,         ///< these entries are no longer in the log: a checkpoint is needed (S25)
    kIo,               ///< the disk or the network failed
    kLocked,           ///< in use by another process
    kRefused,          ///< forbidden here, by the state or by rule: call a person
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

struct Error {
    ErrorCode code = ErrorCode::kInvalidArgument;
    std::string message;

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// `return fail(ErrorCode::kIo, "{}: {}", path, reason);`
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

/// Passes a failure on, with what was being done put before its message.
[[nodiscard]] inline tl::unexpected<Error> fail(Error error, std::string_view context) {
    return tl::unexpected<Error>(Error{error.code, fmt::format("{}: {}", context, error.message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace tanist
