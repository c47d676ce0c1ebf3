// SPDX-License-Identifier: Apache-2.0
// `tanist`, the terminal program.
#include <unistd.h>

#include <iostream>

#include "cli/password.h"
#include "cli/program.h"

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);
    const tanist::cli::Streams streams{.in = std::cin,
                                       .out = std::cout,
                                       .err = std::cerr,
                                       .in_is_terminal = isatty(STDIN_FILENO) != 0,
                                       .out_is_terminal = isatty(STDOUT_FILENO) != 0,
                                       .err_is_terminal = isatty(STDERR_FILENO) != 0,
                                       .ask_password = tanist::cli::ask_password};
    const auto exit = tanist::cli::run_program({argv + 1, argv + argc}, streams);
    std::cout.flush();
    return static_cast<int>(exit);
}
