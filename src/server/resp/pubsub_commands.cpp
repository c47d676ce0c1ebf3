// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE PSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE PUBLISH PUBSUB.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "server/resp/command.h"
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
    session.push([&](RespEncoder& to) {
        for (const std::string_view name : names) {
            (session.services().port.pubsub.*change)(session, name);
            encode_change(to, what, name, session.subscriptions());
        }
        if (names.empty()) encode_change(to, what, std::nullopt, session.subscriptions());
    });
}

void subscribe(RespSession& session, Arguments arguments) { change(session, "subscribe", &PubSub::subscribe, arguments.subspan(1)); }

void psubscribe(RespSession& session, Arguments arguments) {
    change(session, "psubscribe", &PubSub::subscribe_pattern, arguments.subspan(1));
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

void publish(RespSession& session, Arguments arguments) {
    const std::size_t taken = session.services().port.pubsub.publish(arguments[1], arguments[2]);
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(taken)); });
}

void channels(RespSession& session, Arguments arguments) {
    if (arguments.size() > 3) return session.reply_error(wrong_subcommand(arguments));
    const auto found = session.services().port.pubsub.channels(arguments.size() == 3 ? arguments[2] : "*");
    session.reply([&](RespEncoder& to) {
        to.array(found.size());
        for (const std::string_view channel : found) to.bulk(channel);
    });
}

void numsub(RespSession& session, Arguments arguments) {
    session.reply([&](RespEncoder& to) {
        to.array(2 * (arguments.size() - 2));
        for (const std::string_view channel : arguments.subspan(2)) {
            to.bulk(channel);
            to.integer(static_cast<std::int64_t>(session.services().port.pubsub.listeners(channel)));
        }
    });
}

void numpat(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(session.services().port.pubsub.pattern_count())); });
}

constexpr std::uint32_t kListening = kPubSub | kLoading | kStale;
constexpr std::array kPubSubSubcommands = {
    Command{"CHANNELS", -2, RequestKind::kOther, channels, kListening, {}, Group::kPubSub},
    Command{"NUMSUB", -2, RequestKind::kOther, numsub, kListening, {}, Group::kPubSub},
    Command{"NUMPAT", 2, RequestKind::kOther, numpat, kListening, {}, Group::kPubSub},
};
constexpr std::uint32_t kSubscribing = kListening | kNoScript | kOnSentinel;
constexpr std::array kCommands = {
    Command{"SUBSCRIBE", -2, RequestKind::kOther, subscribe, kSubscribing, {}, Group::kPubSub},
    Command{"PSUBSCRIBE", -2, RequestKind::kOther, psubscribe, kSubscribing, {}, Group::kPubSub},
    Command{"UNSUBSCRIBE", -1, RequestKind::kOther, unsubscribe, kSubscribing, {}, Group::kPubSub},
    Command{"PUNSUBSCRIBE", -1, RequestKind::kOther, punsubscribe, kSubscribing, {}, Group::kPubSub},
    Command{"PUBLISH", 3, RequestKind::kOther, publish, kListening | kFast, {}, Group::kPubSub},
    Command{"PUBSUB", -2, RequestKind::kOther, nullptr, 0, {}, Group::kPubSub, kPubSubSubcommands},
};

}  // namespace

std::span<const Command> pubsub_commands() { return kCommands; }

}  // namespace tanist::server::resp
