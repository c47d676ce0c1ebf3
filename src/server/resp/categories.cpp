// SPDX-License-Identifier: Apache-2.0
#include "server/resp/categories.h"

#include <algorithm>
#include <array>

namespace tanist::server::resp {
namespace {

/// In Redis's order; those of types that there are not have no commands.
constexpr std::array<std::string_view, 21> kCategories{
    "keyspace", "read",   "write", "set",  "sortedset", "list",     "hash",      "string",     "bitmap",      "hyperloglog", "geo",
    "stream",   "pubsub", "admin", "fast", "slow",      "blocking", "dangerous", "connection", "transaction", "scripting"};

std::string_view of_group(Group group) {
    switch (group) {
        case Group::kGeneric: return "@keyspace";
        case Group::kString: return "@string";
        case Group::kBitmap: return "@bitmap";
        case Group::kTransactions: return "@transaction";
        case Group::kConnection: return "@connection";
        case Group::kPubSub: return "@pubsub";
        case Group::kTanist: return "@connection";
        case Group::kServer:
        case Group::kSentinel: return {};
    }
    return {};
}

}  // namespace

std::span<const std::string_view> categories() { return kCategories; }

std::vector<std::string_view> categories_of(const CommandTable::Row& row) {
    std::vector<std::string_view> found;
    const auto has = [&](std::string_view category) { return std::ranges::find(found, category) != found.end(); };
    const bool is_ours_on_keys = row.command->group == Group::kTanist && row.command->keys.first > 0;
    const std::string_view group = is_ours_on_keys ? "@string" : of_group(row.command->group);
    if (!group.empty() && row.subcommands.empty()) found.push_back(group);
    if (row.has(kCategoryConnection) && !has("@connection")) found.push_back("@connection");
    if (row.has(kWrite)) found.push_back("@write");
    if (row.has(kReadOnly)) found.push_back("@read");
    if (row.has(kAdmin) || row.has(kCategoryAdmin)) found.push_back("@admin");
    if (row.has(kAdmin) || row.has(kDangerous)) found.push_back("@dangerous");
    if (row.has(kBlocking)) found.push_back("@blocking");
    found.push_back(row.has(kFast) ? "@fast" : "@slow");
    std::ranges::sort(found, {}, [](std::string_view category) { return std::ranges::find(kCategories, category.substr(1)); });
    return found;
}

}  // namespace tanist::server::resp
