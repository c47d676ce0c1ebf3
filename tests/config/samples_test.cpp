// SPDX-License-Identifier: Apache-2.0
// The files under config/ are what users copy: they must load, and the reference must say what the code does.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "config/keys.h"
#include "config/load.h"

namespace tanist::config {
namespace {

using testing::HasSubstr;

Result<Config> load_sample(std::string_view name) {
    return load_config({.file = std::filesystem::path(TANIST_SAMPLES) / name, .environment = {}, .settings = {}});
}

/// Of each key in reference.toml, by full name: the comment above it as one line of words.
std::map<std::string, std::string> documented_keys() {
    std::map<std::string, std::string> documented;
    std::ifstream file(std::filesystem::path(TANIST_SAMPLES) / "reference.toml");
    std::string section, comment;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("# ")) {
            comment += line.substr(2) + " ";
        } else if (line.starts_with("[")) {
            section = line.substr(1, line.find(']') - 1);
            comment.clear();
        } else if (const std::size_t equals = line.find(" = "); equals != std::string::npos) {
            documented[section + "." + line.substr(0, equals)] = std::exchange(comment, {});
        }
    }
    return documented;
}

TEST(Samples, LoadAndFormOneClusterWithOneMaster) {
    std::set<std::string> addresses;
    for (const auto& [name, id, role] : {std::tuple{"master.toml", 1, Role::kMaster}, std::tuple{"slave1.toml", 2, Role::kSlave},
                                         std::tuple{"slave2.toml", 3, Role::kSlave}}) {
        const auto config = load_sample(name);
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->node.id, NodeId{static_cast<std::uint64_t>(id)});
        EXPECT_EQ(config->node.role, role);
        EXPECT_EQ(config->node.data_dir, "data/node" + std::to_string(id));
        EXPECT_EQ(config->cluster, load_sample("master.toml")->cluster);
        const Addresses own = config->addresses();
        addresses.insert({own.client, own.peer, own.http, own.sentinel});
    }
    EXPECT_EQ(addresses.size(), 12u);
}

TEST(Reference, DocumentsEveryKeyAndNoOther) {
    const auto documented = documented_keys();
    for (const Key& key : keys()) EXPECT_TRUE(documented.contains(key.full_name())) << key.full_name();
    EXPECT_EQ(documented.size(), keys().size());
}

TEST(Reference, StatesDefaultRangeAndReloadOfEachKeyAsTheCodeHasThem) {
    auto documented = documented_keys();
    for (const Key& key : keys()) {
        const std::string& text = documented[key.full_name()];
        const std::string must_be = "must be ";
        EXPECT_THAT(text, HasSubstr("Default: " + (key.required ? "none" : key.print(Config{})) + ". ")) << key.full_name();
        EXPECT_THAT(text, HasSubstr("Allowed: " + key.allowed(key.bounds).substr(must_be.size()) + ". ")) << key.full_name();
        EXPECT_THAT(text, HasSubstr(key.reloadable ? "Reloaded at SIGHUP." : "Read at start.")) << key.full_name();
    }
}

TEST(Reference, SetsEachKeyToItsDefault) {
    const auto config = load_sample("reference.toml");
    ASSERT_TRUE(config) << config.error().message;
    for (const Key& key : keys()) {
        if (key.required || key.name == "role") continue;  // the reference is a master, so that it can be started as it is
        EXPECT_EQ(key.print(*config), key.print(Config{})) << key.full_name();
    }
}

TEST(Keys, HaveADefaultThatIsAllowed) {
    for (const Key& key : keys()) {
        if (key.required) continue;
        const Config defaults;
        std::string text = key.print(defaults);
        std::erase(text, '"');
        Config read_back;
        const Status status = key.read(PlainText{text}, key.bounds, read_back);
        EXPECT_TRUE(status) << key.full_name() << ": " << status.error().message;
        EXPECT_EQ(key.print(read_back), key.print(defaults)) << key.full_name();
    }
}

TEST(Keys, AreWrittenOnceEachAndSectionsStandTogether) {
    std::set<std::string> names;
    std::vector<std::string_view> sections;
    for (const Key& key : keys()) {
        EXPECT_TRUE(names.insert(key.full_name()).second) << key.full_name();
        if (sections.empty() || sections.back() != key.section) sections.push_back(key.section);
    }
    EXPECT_EQ(std::set(sections.begin(), sections.end()).size(), sections.size());
}

}  // namespace
}  // namespace tanist::config
