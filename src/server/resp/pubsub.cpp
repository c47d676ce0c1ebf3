// SPDX-License-Identifier: Apache-2.0
#include "server/resp/pubsub.h"

#include "commands/redis/glob.h"

namespace tanist::server::resp {

void PubSub::add(Listeners& to, std::string_view name, Subscriber& subscriber) {
    to.try_emplace(std::string(name)).first->second.push_back(&subscriber);
}

void PubSub::remove(Listeners& from, std::string_view name, Subscriber& subscriber) {
    const auto found = from.find(name);
    if (found == from.end()) return;
    std::erase(found->second, &subscriber);
    if (found->second.empty()) from.erase(found);
}

void PubSub::subscribe(Subscriber& subscriber, std::string_view channel) {
    if (subscriber.channels_.emplace(channel).second) add(channels_, channel, subscriber);
}

void PubSub::subscribe_pattern(Subscriber& subscriber, std::string_view pattern) {
    if (subscriber.patterns_.emplace(pattern).second) add(patterns_, pattern, subscriber);
}

void PubSub::subscribe_shard(Subscriber& subscriber, std::string_view channel) {
    if (subscriber.shard_channels_.emplace(channel).second) add(shard_channels_, channel, subscriber);
}

void PubSub::unsubscribe(Subscriber& subscriber, std::string_view channel) {
    remove(channels_, channel, subscriber);
    if (const auto own = subscriber.channels_.find(channel); own != subscriber.channels_.end()) subscriber.channels_.erase(own);
}

void PubSub::unsubscribe_pattern(Subscriber& subscriber, std::string_view pattern) {
    remove(patterns_, pattern, subscriber);
    if (const auto own = subscriber.patterns_.find(pattern); own != subscriber.patterns_.end()) subscriber.patterns_.erase(own);
}

void PubSub::unsubscribe_shard(Subscriber& subscriber, std::string_view channel) {
    remove(shard_channels_, channel, subscriber);
    if (const auto own = subscriber.shard_channels_.find(channel); own != subscriber.shard_channels_.end())
        subscriber.shard_channels_.erase(own);
}

void PubSub::unsubscribe_all(Subscriber& subscriber) {
    for (const std::string& channel : subscriber.channels_) remove(channels_, channel, subscriber);
    for (const std::string& pattern : subscriber.patterns_) remove(patterns_, pattern, subscriber);
    for (const std::string& channel : subscriber.shard_channels_) remove(shard_channels_, channel, subscriber);
    subscriber.channels_.clear();
    subscriber.shard_channels_.clear();
    subscriber.patterns_.clear();
}

std::size_t PubSub::publish(std::string_view channel, std::string_view message) const {
    std::size_t taken = 0;
    if (const auto found = channels_.find(channel); found != channels_.end()) {
        for (Subscriber* subscriber : found->second) subscriber->take_message({}, channel, message);
        taken += found->second.size();
    }
    for (const auto& [pattern, subscribers] : patterns_) {
        if (!commands::redis::glob_matches(pattern, channel)) continue;
        for (Subscriber* subscriber : subscribers) subscriber->take_message(pattern, channel, message);
        taken += subscribers.size();
    }
    return taken;
}

std::size_t PubSub::publish_shard(std::string_view channel, std::string_view message) const {
    const auto found = shard_channels_.find(channel);
    if (found == shard_channels_.end()) return 0;
    for (Subscriber* subscriber : found->second) subscriber->take_shard_message(channel, message);
    return found->second.size();
}

std::vector<std::string_view> PubSub::matching(const Listeners& of, std::string_view pattern) {
    std::vector<std::string_view> found;
    for (const auto& [channel, _] : of) {
        if (commands::redis::glob_matches(pattern, channel)) found.push_back(channel);
    }
    return found;
}

std::size_t PubSub::count(const Listeners& of, std::string_view name) {
    const auto found = of.find(name);
    return found == of.end() ? 0 : found->second.size();
}

}  // namespace tanist::server::resp
