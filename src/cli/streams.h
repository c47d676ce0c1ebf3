// SPDX-License-Identifier: Apache-2.0
// Where the program reads and writes, so that tests can stand in for the terminal.
#pragma once

#include <istream>
#include <ostream>
#include <string_view>

namespace tanist::cli {

struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool in_is_terminal = false, out_is_terminal = false, err_is_terminal = false;

    /// `tanist: …`, for what a person should know.
    void tell(std::string_view message) const { err << "tanist: " << message << '\n'; }
};

}  // namespace tanist::cli
