// SPDX-License-Identifier: Apache-2.0
#include "client/address.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

namespace tanist::client {

Result<Address> parse_address(std::string_view text) {
    const auto refuse = [&](std::string_view what) {
        return tl::unexpected(Error{ErrorCode::kInvalidArgument, Outcome::kRefused,
                                    fmt::format("address '{}': {}; allowed is HOST:PORT, with an IPv6 host in brackets", text, what)});
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return refuse("the port is missing");
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return refuse("which colon is before the port?");
    }
    if (host.empty()) return refuse("the host is missing");
    std::uint16_t number = 0;
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (failure != std::errc{} || end != port.data() + port.size() || number == 0) return refuse("the port is no number from 1 to 65535");
    return Address{std::string(host), std::string(port)};
}

}  // namespace tanist::client
