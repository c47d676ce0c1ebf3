// SPDX-License-Identifier: Apache-2.0
// The one table of everything that can be configured. Reading, errors, --help, reloading and the check of config/reference.toml
// all walk it: a new key is a member of Config and a row here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/values.h"

namespace tanist::config {

struct Key {
    std::string_view section;
    std::string_view name;  ///< with its unit at the end: heartbeat_ms, key_bytes; memory.max has none, and is in bytes
    std::string_view docs;  ///< one line, for --help; config/reference.toml says more
    Bounds bounds;
    bool required;    ///< has no default
    bool reloadable;  ///< taken over at SIGHUP; the others are read only at start

    Status (*read)(const Value& value, const Bounds& bounds, Config& config);
    std::string (*allowed)(const Bounds& bounds);
    std::string (*print)(const Config& config);
    void (*copy)(const Config& from, Config& to);

    /// "section.name"
    [[nodiscard]] std::string full_name() const;
};

/// All keys, in the order of config/reference.toml.
[[nodiscard]] std::span<const Key> keys();

/// The key of that name, or null.
[[nodiscard]] const Key* find_key(std::string_view section, std::string_view name);

/// The full name of the key that was probably meant, or nothing when none is close.
[[nodiscard]] std::string closest_key(std::string_view section, std::string_view name);

}  // namespace tanist::config
