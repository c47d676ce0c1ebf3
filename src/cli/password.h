// SPDX-License-Identifier: Apache-2.0
// Where the program takes a password from: a file, the environment, a person at the terminal. Never the command line, which others see.
#pragma once

#include <optional>
#include <string>

namespace tanist::cli {

inline constexpr const char* kUserVariable = "TANIST_USER";
inline constexpr const char* kPasswordVariable = "TANIST_PASSWORD";

/// nullopt: there is no such variable.
[[nodiscard]] std::optional<std::string> environment(const char* name);
/// Asks on the terminal, without showing what is typed; nullopt: there is no terminal, or nothing was typed.
[[nodiscard]] std::optional<std::string> ask_password(const std::string& user);

}  // namespace tanist::cli
