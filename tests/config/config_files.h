// SPDX-License-Identifier: Apache-2.0
// Configuration files written for one test.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"
#include "tests/temporary_directory.h"

namespace tanist::config {

/// A file that holds `content` and goes with this object. It is called `node.toml`, in a folder of its own.
class ConfigFile {
public:
    explicit ConfigFile(std::string_view content) { std::ofstream(path()) << content; }

    [[nodiscard]] std::filesystem::path path() const { return folder_.path() + "/node.toml"; }

private:
    TemporaryDirectory folder_;
};

/// What every configuration must have; a test adds what it is about.
inline constexpr std::string_view kMinimal = R"(
[node]
id = 1
data_dir = "data"
[cluster]
nodes = ["1@127.0.0.1:7501", "2@127.0.0.1:7502"]
)";

[[nodiscard]] inline Result<Config> load_text(std::string_view content) {
    const ConfigFile file(content);
    return load_config({.file = file.path(), .environment = {}, .settings = {}});
}

/// The mistakes that loading this file reports, with its path as "node.toml"; empty when it loads.
[[nodiscard]] inline std::string mistakes_in(std::string_view content) {
    const ConfigFile file(content);
    const auto config = load_config({.file = file.path(), .environment = {}, .settings = {}});
    if (config) return {};
    std::string message = config.error().message;
    const std::string folder = file.path().parent_path().string() + "/";
    for (std::size_t at; (at = message.find(folder)) != std::string::npos;) message.erase(at, folder.size());
    return message;
}

/// The minimal file with flags on top.
[[nodiscard]] inline Result<Config> load_set(std::vector<std::string> settings) {
    const ConfigFile file(kMinimal);
    return load_config({.file = file.path(), .environment = {}, .settings = std::move(settings)});
}

/// The mistakes of the minimal file with these flags on top; empty when it loads.
[[nodiscard]] inline std::string mistakes_of(std::vector<std::string> settings) {
    const auto config = load_set(std::move(settings));
    return config ? std::string{} : config.error().message;
}

}  // namespace tanist::config
