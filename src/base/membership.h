// SPDX-License-Identifier: Apache-2.0
// Who belongs to the cluster, as logged and checkpointed (S23): ids, roles and addresses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace tanist {

/// Where a member is reached, "host:port" each; empty: not served. `peer` by nodes, the rest by clients and operators.
struct Addresses {
    std::string peer, client, http, sentinel;

    friend bool operator==(const Addresses&, const Addresses&) = default;
};

/// What a member is to the cluster. Who is master is not a seat but the outcome of an election.
enum class Seat : std::uint8_t {
    kVoter = 1,    ///< data and a vote; may become master
    kWitness = 2,  ///< the log and a vote, no state; never master, never serves clients
    kSpare = 3,    ///< data kept in sync, no vote
};

struct Member {
    MemberId id;
    Seat seat = Seat::kVoter;
    Addresses addresses;

    friend bool operator==(const Member&, const Member&) = default;
    [[nodiscard]] bool votes() const { return seat != Seat::kSpare; }
    [[nodiscard]] bool holds_data() const { return seat != Seat::kWitness; }
};

/// `members` is ordered by node id, one row a node.
struct Membership {
    ClusterId cluster;
    std::string cluster_name;
    std::vector<Member> members;

    friend bool operator==(const Membership&, const Membership&) = default;
    [[nodiscard]] const Member* find(MemberId id) const;
    [[nodiscard]] const Member* find(NodeId node) const;
    [[nodiscard]] std::size_t voters() const;
    [[nodiscard]] std::size_t quorum() const { return voters() / 2 + 1; }
};

/// Who a data directory is (S1, S2): its node id, its random incarnation, and the founding membership that it durably
/// accepted, whose `cluster` is the cluster id; nullopt: none yet.
struct Identity {
    MemberId id;
    std::optional<Membership> founding;

    friend bool operator==(const Identity&, const Identity&) = default;
};

/// The payload of an EntryKind::kMembership entry.
[[nodiscard]] std::string encode(const Membership& membership);
[[nodiscard]] Result<Membership> decode_membership(std::string_view payload);

}  // namespace tanist
