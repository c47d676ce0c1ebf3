// SPDX-License-Identifier: Apache-2.0
// Commands about the node: ROLE INFO WAIT TIME LASTSAVE SAVE BGSAVE SHUTDOWN MODULE CLUSTER.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "server/clock.h"
#include "server/resp/administration.h"
#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"
#include "server/resp/switchover.h"
#include "server/resp/words.h"
#include "server/status.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

constexpr std::uint64_t kForever = UINT64_MAX;

// -- the cluster ----------------------------------------------------------------------------------------------------------------------

void encode_master_role(RespEncoder& to, const core::View& view) {
    std::vector<std::pair<const Member*, Lsn>> slaves;
    for (const core::PeerView& peer : view.peers) {
        const Member* member = view.membership.find(peer.id);
        if (member != nullptr && member->holds_data() && peer.connected) slaves.emplace_back(member, peer.applied.value_or(Lsn{}));
    }
    to.array(3);
    to.bulk("master");
    to.integer(static_cast<std::int64_t>(view.commit.value));
    to.array(slaves.size());
    for (const auto& [member, applied] : slaves) {
        const auto [host, port] = split_address(member->addresses.client);
        to.array(3);
        to.bulk(host);
        to.bulk(port);
        to.bulk(std::to_string(applied.value));
    }
}

void encode_slave_role(RespEncoder& to, const core::View& view) {
    const Member* master = view.master ? view.membership.find(*view.master) : nullptr;
    const auto [host, port] = split_address(master == nullptr ? "" : master->addresses.client);
    to.array(5);
    to.bulk("slave");
    to.bulk(host);
    to.integer(integer_of(port).value_or(0));
    to.bulk(master == nullptr ? "connect" : view.health == core::Health::kCopying ? "sync" : "connected");
    to.integer(static_cast<std::int64_t>(view.applied.value));
}

void role(RespSession& session, Arguments) {
    const Routing& routing = session.services().routing;
    session.reply(
        [&](RespEncoder& to) { routing.is_master() ? encode_master_role(to, routing.view()) : encode_slave_role(to, routing.view()); });
}

/// Slaves that have fsynced everything up to there: what they acknowledge is durable (S5). Without a write, those that are connected.
std::int64_t slaves_with(const core::View& view, Lsn lsn) {
    std::int64_t slaves = 0;
    for (const core::PeerView& peer : view.peers) {
        const Member* member = view.membership.find(peer.id);
        if (member == nullptr || !member->holds_data()) continue;
        if (lsn.is_zero() ? peer.connected : peer.rank && peer.rank->lsn >= lsn) ++slaves;
    }
    return slaves;
}

/// The same of what this node has executed as a slave: its master alone knows them all.
std::int64_t slaves_known_with(const core::View& view, Lsn lsn) {
    const auto data_voters = std::ranges::count(view.membership.members, Seat::kVoter, &Member::seat);
    if (!lsn.is_zero() && lsn <= view.everywhere) return data_voters - 1;
    return lsn <= std::min(view.durable, view.applied) ? 1 : 0;
}

/// Its writes are taken here, or held, as before a switchover.
bool writes_go_on(RespSession& session) {
    const ClientServices& services = session.services();
    return services.routing.is_master() || services.routing.is_pausing() || session.is_parting() || services.forwarding.takes(session);
}

void wait(RespSession& session, Arguments arguments) {
    const auto wanted = integer_of(arguments[1]), timeout = integer_of(arguments[2]);
    if (!writes_go_on(session)) {
        return session.reply_error(
            "ERR WAIT cannot be used with replica instances. Please also note that writes to replicas are just local and are not "
            "propagated.");
    }
    if (!wanted) return session.reply_error("ERR value is not an integer or out of range");
    if (!timeout) return session.reply_error("ERR timeout is not an integer or out of range");
    if (*timeout < 0) return session.reply_error("ERR timeout is negative");
    if (session.waits_for_its_writes(arguments)) return;
    const bool is_endless = *timeout == 0;
    const auto settle = [wanted = *wanted, is_endless, lsn = session.last_write().lsn](RespSession& waiting, bool at_deadline) {
        const Routing& routing = waiting.services().routing;
        const std::int64_t slaves = routing.is_master() ? slaves_with(routing.view(), lsn) : slaves_known_with(routing.view(), lsn);
        if (!writes_go_on(waiting)) {
            waiting.unblock([](RespEncoder& to) {
                to.error("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)");
            });
        } else if (slaves >= wanted || at_deadline || (is_endless && waiting.is_ending())) {
            waiting.unblock([&](RespEncoder& to) { to.integer(slaves); });
        } else {
            return false;
        }
        return true;
    };
    const std::uint64_t deadline_ms = is_endless ? kForever : session.services().connections.now_ms + static_cast<std::uint64_t>(*timeout);
    session.services().port.waiting.add(session.shared_session(), deadline_ms, settle);
}

/// FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT ms]: of these, whom to. Nothing is lost, so there is nothing to force or give up.
/// Redis takes it on the master alone; here a slave asks the master.
void failover(RespSession& session, Arguments arguments) {
    const core::View& view = session.services().routing.view();
    std::optional<NodeId> target;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (is_word(arguments[i], "ABORT") && arguments.size() == 2) return session.reply_error("ERR No failover in progress.");
        if (is_word(arguments[i], "TO") && i + 2 < arguments.size()) {
            const HostPort wanted{std::string(arguments[i + 1]), std::string(arguments[i + 2])};
            for (const Member& member : view.membership.members) {
                if (split_address(member.addresses.client) == wanted) target = member.id.node;
            }
            if (!target) return session.reply_error("ERR FAILOVER target HOST and PORT is not a replica.");
            i += 2;
        } else if (is_word(arguments[i], "TIMEOUT") && i + 1 < arguments.size()) {
            ++i;
        } else if (!is_word(arguments[i], "FORCE")) {
            return session.reply_error("ERR syntax error");
        }
    }
    switch_over(session, target);
}

void cluster(RespSession& session, Arguments) { session.reply_error("ERR This instance has cluster support disabled"); }

// -- the node -------------------------------------------------------------------------------------------------------------------------

void info(RespSession& session, Arguments arguments) {
    const std::string text = session.services().info(arguments.subspan(1));
    session.reply([&](RespEncoder& to) { to.verbatim("txt", text); });
}

void time(RespSession& session, Arguments) {
    const std::uint64_t now_us = wall_us();
    session.reply([&](RespEncoder& to) {
        to.array(2);
        to.bulk(std::to_string(now_us / 1'000'000));
        to.bulk(std::to_string(now_us % 1'000'000));
    });
}

void last_save(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(session.services().administration.last_stored_at())); });
}

/// Every write is durable in the log before it is answered. This makes it part of the store, so that a restart replays less.
bool begin_to_store(RespSession& session) {
    const Status begun = session.services().administration.store_state();
    if (!begun) session.services().storage_failed(begun.error());
    return begun.has_value();
}

void save(RespSession& session, Arguments arguments) {
    if (session.waits_for_its_writes(arguments)) return;
    if (!begin_to_store(session)) return session.reply_error("ERR storing the state failed");
    const Lsn target = session.services().applied().lsn;
    session.services().port.waiting.add(session.shared_session(), kForever, [target](RespSession& waiting, bool) {
        if (waiting.services().administration.stored() < target) return false;
        waiting.unblock([](RespEncoder& to) { to.ok(); });
        return true;
    });
}

void background_save(RespSession& session, Arguments arguments) {
    if (arguments.size() > 2 || (arguments.size() == 2 && !is_word(arguments[1], "SCHEDULE"))) {
        return session.reply_error("ERR syntax error");
    }
    if (!begin_to_store(session)) return session.reply_error("ERR storing the state failed");
    session.reply([](RespEncoder& to) { to.simple("Background saving started"); });
}

void shutdown(RespSession& session, Arguments arguments) {
    for (const std::string_view option : arguments.subspan(1)) {
        if (is_word(option, "ABORT")) return session.reply_error("ERR No shutdown in progress.");
        if (!is_word(option, "NOSAVE") && !is_word(option, "SAVE") && !is_word(option, "NOW") && !is_word(option, "FORCE")) {
            return session.reply_error("ERR syntax error");
        }
    }
    session.services().administration.shut_down();  // the answer is the end of the connection, as in Redis
}

void module_list(RespSession& session, Arguments) {
    session.reply([](RespEncoder& to) { to.array(0); });
}

constexpr auto kOther = RequestKind::kOther;
constexpr std::uint32_t kRuling = kAdmin | kNoScript | kLoading | kStale;
constexpr std::array kModuleSubcommands = {
    Command{"HELP", 2, kOther, help, kLoading | kStale},
    Command{"LIST", 2, kOther, module_list, kAdmin | kNoScript},
};
constexpr std::array kCommands = {
    Command{"ROLE", 1, kOther, role, kNoScript | kLoading | kStale | kFast | kDangerous | kCategoryAdmin},
    Command{"INFO", -1, kOther, info, kLoading | kStale | kDangerous},
    Command{"WAIT", 3, kOther, wait, kNoScript | kNoMulti, {}, Group::kConnection},
    Command{"FAILOVER", -1, kOther, failover, kAdmin | kNoScript | kStale | kNoMulti},
    Command{"TIME", 1, kOther, time, kLoading | kStale | kFast},
    Command{"LASTSAVE", 1, kOther, last_save, kLoading | kStale | kFast | kDangerous | kCategoryAdmin},
    Command{"SAVE", 1, kOther, save, kAdmin | kNoScript | kNoAsyncLoading | kNoMulti},
    Command{"BGSAVE", -1, kOther, background_save, kAdmin | kNoScript | kNoAsyncLoading},
    Command{"SHUTDOWN", -1, kOther, shutdown, kRuling | kNoMulti | kAllowBusy},
    Command{"MODULE", -2, kOther, nullptr, 0, {}, Group::kServer, kModuleSubcommands},
    Command{"CLUSTER", -2, kOther, cluster},
    Command{"ASKING", 1, kOther, cluster, kFast, {}, Group::kConnection},
    Command{"READONLY", 1, kOther, cluster, kLoading | kStale | kFast, {}, Group::kConnection},
    Command{"READWRITE", 1, kOther, cluster, kLoading | kStale | kFast, {}, Group::kConnection},
};

}  // namespace

std::span<const Command> server_commands() { return kCommands; }

}  // namespace tanist::server::resp
