// SPDX-License-Identifier: Apache-2.0
// Where a node is reached: "host:port" taken apart.
#pragma once

#include <string>
#include <string_view>

#include "tanist/error.h"

namespace tanist::client {

struct Address {
    std::string host;  ///< a name, an IPv4 address, or an IPv6 address without its brackets
    std::string port;
};

/// kInvalidArgument names the text and what is allowed.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

}  // namespace tanist::client
