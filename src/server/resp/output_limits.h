// SPDX-License-Identifier: Apache-2.0
// Redis's client-output-buffer-limit: when connections are ended that do not read what is sent to them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tanist::server::resp {

/// A number of bytes as Redis takes it, with a unit ("16mb") or without.
[[nodiscard]] std::optional<std::uint64_t> bytes_of(std::string_view word);

/// Loop thread. limits.output_bytes holds beside these, for everybody.
struct OutputLimits {
    struct Limit {
        std::uint64_t hard = 0, soft = 0;  ///< bytes unsent; 0: none
        std::uint64_t soft_seconds = 0;    ///< for so long `soft` may be passed
    };
    Limit normal, slave{256 << 20, 64 << 20, 60}, pubsub{32 << 20, 8 << 20, 60};  ///< other nodes are no clients: `slave` is only kept

    /// "CLASS HARD SOFT SECONDS …" for one class or several; the others stay as they are. Nullopt: taken; otherwise why not.
    [[nodiscard]] std::optional<std::string> read(std::string_view text);
    [[nodiscard]] std::string to_string() const;
};

}  // namespace tanist::server::resp
