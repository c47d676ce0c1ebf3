// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE PSUBSCRIBE SSUBSCRIBE and their opposites, PUBLISH SPUBLISH PUBSUB.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

void encode_change(RespEncoder& to, std::string_view what, std::optional<std::string_view> name, std::size_t subscriptions) {
    to.push(3);
    to.bulk(what);
    name ? to.bulk(*name) : to.null();
    to.integer(static_cast<std::int64_t>(subscriptions));
}

using Change = void (PubSub::*)(Subscriber& subscriber, std::string_view name);

/// One confirmation for each name: also where CLIENT REPLY has silenced the answers, like the messages themselves.
void change(RespSession& session, std::string_view what, Change change, std::span<const std::string_view> names) {
    const bool of_shards = what == "ssubscribe" || what == "sunsubscribe";
    const auto left = [&] { return of_shards ? session.shard_subscriptions() : session.subscriptions(); };
    session.push([&](RespEncoder& to) {
        for (const std::string_view name : names) {
            (session.services().port.pubsub.*change)(session, name);
            encode_change(to, what, name, left());
        }
        if (names.empty()) encode_change(to, what, std::nullopt, left());
    });
}

void subscribe(RespSession& session, Arguments arguments) { change(session, "subscribe", &PubSub::subscribe, arguments.subspan(1)); }

void psubscribe(RespSession& session, Arguments arguments) {
    change(session, "psubscribe", &PubSub::subscribe_pattern, arguments.subspan(1));
}

void ssubscribe(RespSession& session, Arguments arguments) {
    change(session, "ssubscribe", &PubSub::subscribe_shard, arguments.subspan(1));
}

/// Without names: all that the session has.
void end(RespSession& session, std::string_view what, Change how, const std::set<std::string, std::less<>>& all, Arguments arguments) {
    if (arguments.size() > 1) return change(session, what, how, arguments.subspan(1));
    const std::vector<std::string> names(all.begin(), all.end());
    const std::vector<std::string_view> views(names.begin(), names.end());
    change(session, what, how, views);
}

void unsubscribe(RespSession& session, Arguments arguments) {
    end(session, "unsubscribe", &PubSub::unsubscribe, session.channels(), arguments);
}

void punsubscribe(RespSession& session, Arguments arguments) {
    end(session, "punsubscribe", &PubSub::unsubscribe_pattern, session.patterns(), arguments);
}

void sunsubscribe(RespSession& session, Arguments arguments) {
    end(session, "sunsubscribe", &PubSub::unsubscribe_shard, session.shard_channels(), arguments);
}

void reply_count(RespSession& session, std::size_t count) {
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(count)); });
}

void publish(RespSession& session, Arguments arguments) {
    reply_count(session, session.services().port.pubsub.publish(arguments[1], arguments[2]));
}

void spublish(RespSession& session, Arguments arguments) {
    reply_count(session, session.services().port.pubsub.publish_shard(arguments[1], arguments[2]));
}

void channels(RespSession& session, Arguments arguments) {
    if (arguments.size() > 3) return session.reply_error(wrong_subcommand(arguments));
    const PubSub& pubsub = session.services().port.pubsub;
    const std::string_view pattern = arguments.size() == 3 ? arguments[2] : "*";
    const auto found = is_word(arguments[1], "CHANNELS") ? pubsub.channels(pattern) : pubsub.shard_channels(pattern);
    session.reply([&](RespEncoder& to) {
        to.array(found.size());
        for (const std::string_view channel : found) to.bulk(channel);
    });
}

void numsub(RespSession& session, Arguments arguments) {
    const PubSub& pubsub = session.services().port.pubsub;
    const bool of_shards = is_word(arguments[1], "SHARDNUMSUB");
    session.reply([&](RespEncoder& to) {
        to.array(2 * (arguments.size() - 2));
        for (const std::string_view channel : arguments.subspan(2)) {
            to.bulk(channel);
            to.integer(static_cast<std::int64_t>(of_shards ? pubsub.shard_listeners(channel) : pubsub.listeners(channel)));
        }
    });
}

void numpat(RespSession& session, Arguments) { reply_count(session, session.services().port.pubsub.pattern_count()); }

constexpr std::uint32_t kListening = kPubSub | kLoading | kStale;
constexpr std::array kPubSubSubcommands = {
    Command{"CHANNELS", -2, RequestKind::kOther, channels, kListening, {}, Group::kPubSub},
    Command{"HELP", 2, RequestKind::kOther, help, kLoading | kStale, {}, Group::kServer},
    Command{"NUMPAT", 2, RequestKind::kOther, numpat, kListening, {}, Group::kPubSub},
    Command{"NUMSUB", -2, RequestKind::kOther, numsub, kListening, {}, Group::kPubSub},
    Command{"SHARDCHANNELS", -2, RequestKind::kOther, channels, kListening, {}, Group::kPubSub},
    Command{"SHARDNUMSUB", -2, RequestKind::kOther, numsub, kListening, {}, Group::kPubSub},
};
constexpr std::uint32_t kSubscribing = kListening | kNoScript | kOnSentinel;
constexpr std::array kCommands = {
    Command{"SUBSCRIBE", -2, RequestKind::kOther, subscribe, kSubscribing, {}, Group::kPubSub},
    Command{"PSUBSCRIBE", -2, RequestKind::kOther, psubscribe, kSubscribing, {}, Group::kPubSub},
    Command{"UNSUBSCRIBE", -1, RequestKind::kOther, unsubscribe, kSubscribing, {}, Group::kPubSub},
    Command{"PUNSUBSCRIBE", -1, RequestKind::kOther, punsubscribe, kSubscribing, {}, Group::kPubSub},
    Command{"SSUBSCRIBE", -2, RequestKind::kOther, ssubscribe, kListening | kNoScript, {}, Group::kPubSub},
    Command{"SUNSUBSCRIBE", -1, RequestKind::kOther, sunsubscribe, kListening | kNoScript, {}, Group::kPubSub},
    Command{"PUBLISH", 3, RequestKind::kOther, publish, kListening | kFast, {}, Group::kPubSub},
    Command{"SPUBLISH", 3, RequestKind::kOther, spublish, kListening | kFast, {}, Group::kPubSub},
    Command{"PUBSUB", -2, RequestKind::kOther, nullptr, 0, {}, Group::kPubSub, kPubSubSubcommands},
};

}  // namespace

std::span<const Command> pubsub_commands() { return kCommands; }

}  // namespace tanist::server::resp
