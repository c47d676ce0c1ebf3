// SPDX-License-Identifier: Apache-2.0
#include "cli/password.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>

namespace tanist::cli {
namespace {

void say(int terminal, const std::string& text) { static_cast<void>(!::write(terminal, text.data(), text.size())); }

}  // namespace

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> ask_password(const std::string& user) {
    const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    termios shown{};
    if (terminal < 0 || ::tcgetattr(terminal, &shown) != 0) {
        if (terminal >= 0) ::close(terminal);
        return std::nullopt;
    }
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    say(terminal, "Password of " + (user.empty() ? "default" : user) + ": ");
    ::tcsetattr(terminal, TCSAFLUSH, &hidden);
    std::string password;
    char byte = 0;
    while (::read(terminal, &byte, 1) == 1 && byte != '\n') password += byte;
    ::tcsetattr(terminal, TCSAFLUSH, &shown);
    say(terminal, "\n");
    ::close(terminal);
    return password.empty() ? std::nullopt : std::optional(password);
}

}  // namespace tanist::cli
