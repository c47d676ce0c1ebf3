// SPDX-License-Identifier: Apache-2.0
// Faults in words.
#include <fmt/format.h>

#include <array>

#include "sim/plan.h"

namespace tanist::sim {
namespace {

/// Operations that are few, and that a fault at any operation would seldom meet.
constexpr std::array kAims = {wal::DiskOperation::kRename, wal::DiskOperation::kSyncDirectory, wal::DiskOperation::kCreate,
                              wal::DiskOperation::kRemove, wal::DiskOperation::kTruncate};

std::string who(const Fault& fault) { return fault.node.is_zero() ? "the master" : fmt::format("node {}", fault.node.value); }

std::string side(const Fault& fault) {
    if (fault.nodes == 0) return "the master";
    std::string names;
    for (std::uint64_t n = 1; n < 32; ++n) {
        if (contains(fault.nodes, {n})) names += fmt::format("{}{}", names.empty() ? "" : "+", n);
    }
    return "node " + names;
}

std::string moment(const Fault& fault, std::int64_t operations) {
    const auto aim = aim_of(fault);
    return aim ? fmt::format("at its next {}", wal::to_string(*aim)) : fmt::format("after {} more file operations", operations);
}

std::string occasion(const Fault& fault) {
    std::string text(to_string(fault.waits_for));
    if (!fault.waits_at.is_zero()) text += fmt::format(" at node {}", fault.waits_at.value);
    if (fault.times > 1) text += fmt::format(" for the {}. time", fault.times);
    return text;
}

std::string at_node(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::kKill: return who(fault) + " is killed";
        case FaultKind::kPowerCut: return who(fault) + " loses power";
        case FaultKind::kDiskCrash:
            return fmt::format("{}{} loses power {}", who(fault), fault.amount % 2 == 1 ? " is killed, and while it starts" : "",
                               moment(fault, fault.amount / 2));
        case FaultKind::kSyncError: return fmt::format("a file operation of {} fails {}", who(fault), moment(fault, fault.amount));
        case FaultKind::kShutDown: return who(fault) + " is asked to end";
        case FaultKind::kPause: return who(fault) + " stands still";
        case FaultKind::kSlowNode: return fmt::format("each piece of work of {} takes {} us", who(fault), fault.amount);
        case FaultKind::kSlowDisk: return fmt::format("each sync of {} takes {} times as long", who(fault), fault.amount);
        case FaultKind::kDiskStall: return fmt::format("no sync of {} comes to its end", who(fault));
        case FaultKind::kFullDisk:
            return fault.variant % 4 == 0 ? fmt::format("the disk of {} is full", who(fault))
                                          : fmt::format("the disk of {} has {} % of its reserve left", who(fault), fault.amount);
        case FaultKind::kClockJump: return fmt::format("the wall clock of {} jumps by {} ms", who(fault), fault.amount);
        default: return "?";
    }
}

std::string between_nodes(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::kPartition: return fmt::format("nothing passes between {} and the others", side(fault));
        case FaultKind::kFlapping:
            return fmt::format("between {} and the others nothing passes, each other {} ms", side(fault), fault.amount);
        case FaultKind::kOneWay: return fmt::format("nothing passes from {} to the others", side(fault));
        case FaultKind::kBridge: return fmt::format("between {} and the others all see {} alone", side(fault), who(fault));
        case FaultKind::kSlowNetwork: return fmt::format("every message takes {} times as long", fault.amount);
        case FaultKind::kReset: return fmt::format("connections between {} and the others are reset", side(fault));
        case FaultKind::kRefuse: return fmt::format("connections between {} and the others are refused", side(fault));
        default: return "?";
    }
}

std::string_view where_in_log(const Fault& fault) {
    switch (fault.amount) {
        case 1: return " where it parts from what is committed";
        case 2: return " where it was synced long ago";
        case 3: return " at its end, with its mark";
        default: return "";
    }
}

std::string at_medium(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::kWipe: return who(fault) + " loses its disk";
        case FaultKind::kDamage: return fmt::format("the log of {} is damaged{}", who(fault), where_in_log(fault));
        case FaultKind::kRotVote: return fmt::format("vote or identity files of {} rot", who(fault));
        case FaultKind::kLostState: return fmt::format("the state store of {} is lost", who(fault));
        case FaultKind::kRotState: return fmt::format("a row of the state store of {} can be read no more", who(fault));
        case FaultKind::kRotCheckpoint: return fmt::format("checkpoints that {} gives are rotten", who(fault));
        case FaultKind::kLostWrite:
            return fmt::format("the disk of {} loses or misplaces a write, after {} more", who(fault), fault.amount);
        case FaultKind::kForgottenTail:
            return fmt::format("a majority with {} is cut off, goes on for {}, stops; {} returns without the end of its log", who(fault),
                               fault.amount < 0 ? fmt::format("{} us", -fault.amount) : fmt::format("{} ms more", fault.amount),
                               who(fault));
        default: return "?";
    }
}

}  // namespace

std::string_view to_string(Moment moment) {
    constexpr std::array<std::string_view, 6> kNames = {
        "at once",      "a node stands for election", "a master is elected", "an old entry is acknowledged", "a checkpoint is installed",
        "a log is cut",
    };
    return kNames[static_cast<std::size_t>(moment)];
}

std::optional<wal::DiskOperation> aim_of(const Fault& fault) {
    return fault.variant != 0 ? std::optional(kAims[fault.variant % kAims.size()]) : std::nullopt;
}

std::string describe(const Fault& fault) {
    std::string what;
    if (fault.kind == FaultKind::kSwitchOver) {
        what = fmt::format("the master is asked to hand over to {}", fault.node.is_zero() ? "any" : who(fault));
    } else if (is_between_nodes(fault.kind)) {
        what = between_nodes(fault);
    } else {
        what = is_of_medium(fault.kind) ? at_medium(fault) : at_node(fault);
    }
    if (fault.lasts > Duration(0)) what += fmt::format(", for {} ms", fault.lasts.count() / 1000);
    if (fault.waits_for != Moment::kNone) what += ", when " + occasion(fault);
    return fmt::format("{} [{}]: {}", fault.number, to_string(fault.kind), what);
}

}  // namespace tanist::sim
