// SPDX-License-Identifier: Apache-2.0
// How the program ends when something goes wrong: a message for the person, an exit code for the script.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "tanist/error.h"

namespace tanist::cli {

enum class Exit : int {
    kOk = 0,
    kNotFound = 1,     ///< no such key
    kUsage = 2,        ///< the command line, a file, or the input is wrong
    kUnavailable = 3,  ///< no node took it: nothing was executed
    kRefused = 4,      ///< a condition did not hold, or the value is not one that the command can work on: nothing was changed
    kUnknown = 5,      ///< it may or may not have been executed
};

[[nodiscard]] std::string_view to_string(Exit exit);

struct Failure {
    Exit exit = Exit::kUsage;
    std::string message;
};

template <class T>
using Expected = tl::expected<T, Failure>;

template <class... Args>
[[nodiscard]] tl::unexpected<Failure> fail(Exit exit, fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected(Failure{exit, fmt::format(format, std::forward<Args>(args)...)});
}
template <class... Args>
[[nodiscard]] tl::unexpected<Failure> usage(fmt::format_string<Args...> format, Args&&... args) {
    return fail(Exit::kUsage, format, std::forward<Args>(args)...);
}

/// What the client library's error means for the caller of this program.
[[nodiscard]] Failure to_failure(const client::Error& error);

}  // namespace tanist::cli
