// SPDX-License-Identifier: Apache-2.0
// Where the program reads and writes, so that tests can stand in for the terminal.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace tanist::cli {

struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool in_is_terminal = false, out_is_terminal = false, err_is_terminal = false;
    /// Asks the person at the terminal for this user's password; empty: there is none to be asked.
    std::function<std::optional<std::string>(const std::string& user)> ask_password = {};

    /// `tanist: …`, for what a person should know.
    void tell(std::string_view message) const { err << "tanist: " << message << '\n'; }
};

}  // namespace tanist::cli
