// SPDX-License-Identifier: Apache-2.0
// Who listens to which channel of one port. What is published reaches the connections of this node, and no other node's.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tanist::server::resp {

class Subscriber {
public:
    virtual ~Subscriber() = default;
    /// `pattern`: by which it listens; empty: to the channel itself. Must not change subscriptions.
    virtual void take_message(std::string_view pattern, std::string_view channel, std::string_view message) = 0;
    virtual void take_shard_message(std::string_view channel, std::string_view message) = 0;

    [[nodiscard]] std::size_t subscriptions() const { return channels_.size() + patterns_.size(); }
    [[nodiscard]] std::size_t shard_subscriptions() const { return shard_channels_.size(); }
    [[nodiscard]] bool listens() const { return subscriptions() + shard_subscriptions() > 0; }
    [[nodiscard]] const std::set<std::string, std::less<>>& channels() const { return channels_; }
    [[nodiscard]] const std::set<std::string, std::less<>>& patterns() const { return patterns_; }
    [[nodiscard]] const std::set<std::string, std::less<>>& shard_channels() const { return shard_channels_; }

private:
    friend class PubSub;
    std::set<std::string, std::less<>> channels_, patterns_, shard_channels_;
};

/// Loop thread. Whoever subscribed must unsubscribe_all() before it ends.
class PubSub {
public:
    void subscribe(Subscriber& subscriber, std::string_view channel);
    void subscribe_pattern(Subscriber& subscriber, std::string_view pattern);
    /// Shard channels have names of their own: what is published there reaches their listeners alone.
    void subscribe_shard(Subscriber& subscriber, std::string_view channel);
    void unsubscribe(Subscriber& subscriber, std::string_view channel);
    void unsubscribe_pattern(Subscriber& subscriber, std::string_view pattern);
    void unsubscribe_shard(Subscriber& subscriber, std::string_view channel);
    void unsubscribe_all(Subscriber& subscriber);

    /// How many took it; one that listens to a channel twice takes it twice, as in Redis.
    std::size_t publish(std::string_view channel, std::string_view message) const;
    std::size_t publish_shard(std::string_view channel, std::string_view message) const;

    /// Channels with listeners of their own that match the pattern.
    [[nodiscard]] std::vector<std::string_view> channels(std::string_view pattern) const { return matching(channels_, pattern); }
    [[nodiscard]] std::vector<std::string_view> shard_channels(std::string_view pattern) const {
        return matching(shard_channels_, pattern);
    }
    [[nodiscard]] std::size_t listeners(std::string_view channel) const { return count(channels_, channel); }
    [[nodiscard]] std::size_t shard_listeners(std::string_view channel) const { return count(shard_channels_, channel); }
    [[nodiscard]] std::size_t channel_count() const { return channels_.size(); }
    [[nodiscard]] std::size_t pattern_count() const { return patterns_.size(); }
    [[nodiscard]] std::size_t shard_channel_count() const { return shard_channels_.size(); }

private:
    using Listeners = std::map<std::string, std::vector<Subscriber*>, std::less<>>;
    static void add(Listeners& to, std::string_view name, Subscriber& subscriber);
    static void remove(Listeners& from, std::string_view name, Subscriber& subscriber);
    [[nodiscard]] static std::vector<std::string_view> matching(const Listeners& of, std::string_view pattern);
    [[nodiscard]] static std::size_t count(const Listeners& of, std::string_view name);

    Listeners channels_, patterns_, shard_channels_;
};

}  // namespace tanist::server::resp
