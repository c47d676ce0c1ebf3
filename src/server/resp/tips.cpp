// SPDX-License-Identifier: Apache-2.0
#include "server/resp/tips.h"

#include <algorithm>
#include <array>

namespace tanist::server::resp {
namespace {

struct Tips {
    std::string_view name, words;
};
/// By name, in ascending order.
constexpr std::array kTips{
    Tips{"client|info", "nondeterministic_output"},
    Tips{"client|list", "nondeterministic_output"},
    Tips{"command", "nondeterministic_output_order"},
    Tips{"command|docs", "nondeterministic_output_order"},
    Tips{"command|info", "nondeterministic_output_order"},
    Tips{"command|list", "nondeterministic_output_order"},
    Tips{"config|set", "request_policy:all_nodes response_policy:all_succeeded"},
    Tips{"dbsize", "request_policy:all_shards response_policy:agg_sum"},
    Tips{"del", "request_policy:multi_shard response_policy:agg_sum"},
    Tips{"exists", "request_policy:multi_shard response_policy:agg_sum"},
    Tips{"flushall", "request_policy:all_shards response_policy:all_succeeded"},
    Tips{"flushdb", "request_policy:all_shards response_policy:all_succeeded"},
    Tips{"info", "nondeterministic_output request_policy:all_shards response_policy:special"},
    Tips{"keys", "request_policy:all_shards nondeterministic_output_order"},
    Tips{"lastsave", "nondeterministic_output"},
    Tips{"latency|doctor", "nondeterministic_output request_policy:all_nodes response_policy:special"},
    Tips{"latency|graph", "nondeterministic_output request_policy:all_nodes response_policy:special"},
    Tips{"latency|histogram", "nondeterministic_output request_policy:all_nodes response_policy:special"},
    Tips{"latency|history", "nondeterministic_output request_policy:all_nodes response_policy:special"},
    Tips{"latency|latest", "nondeterministic_output request_policy:all_nodes response_policy:special"},
    Tips{"latency|reset", "request_policy:all_nodes response_policy:all_succeeded"},
    Tips{"memory|doctor", "nondeterministic_output request_policy:all_shards response_policy:special"},
    Tips{"memory|malloc-stats", "nondeterministic_output request_policy:all_shards response_policy:special"},
    Tips{"memory|purge", "request_policy:all_shards response_policy:all_succeeded"},
    Tips{"memory|stats", "nondeterministic_output request_policy:all_shards response_policy:special"},
    Tips{"mget", "request_policy:multi_shard"},
    Tips{"module|list", "nondeterministic_output_order"},
    Tips{"mset", "request_policy:multi_shard response_policy:all_succeeded"},
    Tips{"msetnx", "request_policy:multi_shard response_policy:agg_min"},
    Tips{"object|encoding", "nondeterministic_output"},
    Tips{"object|freq", "nondeterministic_output"},
    Tips{"object|idletime", "nondeterministic_output"},
    Tips{"object|refcount", "nondeterministic_output"},
    Tips{"ping", "request_policy:all_shards response_policy:all_succeeded"},
    Tips{"pttl", "nondeterministic_output"},
    Tips{"randomkey", "request_policy:all_shards nondeterministic_output"},
    Tips{"scan", "nondeterministic_output request_policy:special"},
    Tips{"slowlog|get", "request_policy:all_nodes nondeterministic_output"},
    Tips{"slowlog|len", "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    Tips{"slowlog|reset", "request_policy:all_nodes response_policy:all_succeeded"},
    Tips{"time", "nondeterministic_output"},
    Tips{"touch", "request_policy:multi_shard response_policy:agg_sum"},
    Tips{"ttl", "nondeterministic_output"},
    Tips{"unlink", "request_policy:multi_shard response_policy:agg_sum"},
    Tips{"wait", "request_policy:all_shards response_policy:agg_min"},
};
static_assert(std::ranges::is_sorted(kTips, {}, &Tips::name));

}  // namespace

std::string_view tips_of(std::string_view name) {
    const auto* found = std::ranges::lower_bound(kTips, name, {}, &Tips::name);
    return found != kTips.end() && found->name == name ? found->words : std::string_view{};
}

}  // namespace tanist::server::resp
