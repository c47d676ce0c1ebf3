// SPDX-License-Identifier: Apache-2.0
// The fuzz targets: one for each decoder of bytes from outside, run by libFuzzer (libfuzzer.cpp) and over their corpora by a test.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace tanist::fuzz {

/// Takes any bytes, must not crash, and ends the process when a promise is broken.
struct Target {
    std::string_view name;  ///< its corpus lies in corpus/NAME
    void (*run)(Bytes input);
    /// What its corpus begins with: the files seed-00, seed-01 … there (`fuzz_test --write-seeds` writes them).
    std::vector<std::string> (*seeds)();
};

// By the room whose decoders they are.
[[nodiscard]] std::span<const Target> protocol_targets();
[[nodiscard]] std::span<const Target> command_targets();
[[nodiscard]] std::span<const Target> disk_targets();
[[nodiscard]] std::span<const Target> text_targets();

[[nodiscard]] std::vector<Target> all_targets();

}  // namespace tanist::fuzz
