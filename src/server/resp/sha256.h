// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) in hexadecimal, as Redis keeps passwords.
#pragma once

#include <string>
#include <string_view>

namespace tanist::server::resp {

[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace tanist::server::resp
