// SPDX-License-Identifier: Apache-2.0
#include "base/membership.h"

#include <algorithm>

#include "base/bytes.h"

namespace tanist {
namespace {
constexpr std::uint8_t kFormatVersion = 1;
constexpr std::uint64_t kMembersMax = 64;
}  // namespace

const Member* Membership::find(MemberId id) const {
    const auto at = std::ranges::find(members, id, &Member::id);
    return at == members.end() ? nullptr : &*at;
}

const Member* Membership::find(NodeId node) const {
    const auto at = std::ranges::find_if(members, [&](const Member& m) { return m.id.node == node; });
    return at == members.end() ? nullptr : &*at;
}

std::size_t Membership::voters() const { return static_cast<std::size_t>(std::ranges::count_if(members, &Member::votes)); }

std::string encode(const Membership& membership) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(kFormatVersion);
    writer.u64(membership.cluster.value);
    writer.string(membership.cluster_name);
    writer.varint(membership.members.size());
    for (const Member& member : membership.members) {
        writer.varint(member.id.node.value);
        writer.u64(member.id.incarnation.value);
        writer.u8(static_cast<std::uint8_t>(member.seat));
        for (const auto* address : {&member.addresses.peer, &member.addresses.client, &member.addresses.http, &member.addresses.sentinel}) {
            writer.string(*address);
        }
    }
    return out;
}

Result<Membership> decode_membership(std::string_view payload) {
    ByteReader reader(payload);
    if (const auto version = reader.u8(); version != kFormatVersion) {
        return fail(ErrorCode::kCorrupt, "membership: format version {}, only {} is known", version, kFormatVersion);
    }
    Membership membership;
    membership.cluster = {reader.u64()};
    membership.cluster_name = reader.string();
    const std::uint64_t count = reader.varint();
    if (count > kMembersMax) return fail(ErrorCode::kCorrupt, "membership: {} members, at most {} are allowed", count, kMembersMax);
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        Member member;
        member.id.node = {reader.varint()};
        member.id.incarnation = {reader.u64()};
        const std::uint8_t seat = reader.u8();
        if (seat < 1 || seat > 3)
            return fail(ErrorCode::kCorrupt, "membership: node {} has the unknown seat {}", member.id.node.value, seat);
        member.seat = static_cast<Seat>(seat);
        for (auto* address : {&member.addresses.peer, &member.addresses.client, &member.addresses.http, &member.addresses.sentinel}) {
            *address = reader.string();
        }
        membership.members.push_back(std::move(member));
    }
    if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorrupt, "membership: {} bytes cannot be decoded", payload.size());
    const auto by_node = [](const Member& a, const Member& b) { return a.id.node >= b.id.node; };
    if (std::ranges::adjacent_find(membership.members, by_node) != membership.members.end()) {
        return fail(ErrorCode::kCorrupt, "membership: members are not in the order of their node ids");
    }
    return membership;
}

}  // namespace tanist
