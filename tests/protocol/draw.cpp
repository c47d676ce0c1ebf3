// SPDX-License-Identifier: Apache-2.0
#include "tests/protocol/draw.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace tanist::protocol {
namespace {

Addresses draw_addresses(Random& random) { return {draw_text(random), draw_text(random), draw_text(random), draw_text(random)}; }

Membership draw_membership(Random& random) {
    Membership out{{draw_number(random)}, draw_text(random), {}};
    std::uint64_t node = 0;
    out.members = draw_list(random, [&] {
        node += random.between(1, 9);
        return Member{{{node}, {random.next()}}, static_cast<Seat>(random.between(1, 3)), draw_addresses(random)};
    });
    return out;
}

std::vector<EpochRun> draw_runs(Random& random) {
    std::uint64_t epoch = 0, lsn = 0;
    return draw_list(random, [&] { return EpochRun{{epoch += random.between(1, 9)}, {lsn += random.between(1, 999)}}; });
}

EntryId draw_entry_id(Random& random) { return {{draw_number(random)}, {draw_number(random)}, static_cast<std::uint32_t>(random.next())}; }

Rank draw_low_rank(Random& random) { return {{random.below(100)}, {random.below(1000)}}; }

/// The overload for a body is found by its type; the message's epoch is at least 1000, above that of all entries drawn.
void draw(Random& random, core::Hello& to) {
    std::uint64_t node = 0;
    to = {.cluster_name = draw_bytes(random),
          .role = static_cast<core::ConfiguredRole>(random.between(1, 4)),
          .addresses = draw_addresses(random),
          .configured = draw_list(random, [&] { return NodeId{node += random.between(1, 9)}; }),
          .pristine = draw_flag(random),
          .intent = draw_rank(random)};
}
void draw(Random& random, core::FormationProposal& to) { to.founding = draw_membership(random); }
void draw(Random&, core::FormationAccept&) {}
void draw(Random& random, core::Refusal& to) { to.reason = draw_bytes(random); }
void draw(Random&, core::HigherEpoch&) {}
void draw(Random& random, core::Heartbeat& to) { to = {{draw_number(random)}, draw_number(random)}; }
void draw(Random& random, core::Append& to) {
    to.previous = draw_low_rank(random);
    to.entries = draw_entries(random, to.previous, false);
    to.commit = {draw_number(random)};
    to.round = draw_number(random);
    to.acknowledged = {draw_number(random)};
    to.everywhere = {draw_number(random)};
}
void draw(Random& random, core::AppendAck& to) {
    to = {{draw_number(random)}, {draw_number(random)}, draw_rank(random), draw_number(random)};
}
void draw(Random& random, core::AppendReject& to) {
    to = {draw_rank(random), {draw_number(random)}, draw_rank(random), draw_runs(random), draw_number(random), draw_flag(random)};
}
void draw(Random& random, core::ReadIndexRequest& to) { to.id = draw_number(random); }
void draw(Random& random, core::ReadIndexReply& to) {
    to = {draw_number(random), draw_optional(random, [&] { return Lsn{draw_number(random)}; })};
}
void draw(Random& random, core::PreVoteRequest& to) { to = {{draw_number(random)}, draw_rank(random)}; }
void draw(Random& random, core::PreVoteReply& to) {
    to = {{draw_number(random)}, draw_flag(random), draw_optional(random, [&] { return draw_member(random); }), draw_rank(random)};
}
void draw(Random& random, core::VoteRequest& to) {
    to = {draw_rank(random), draw_optional(random, [&] { return Epoch{draw_number(random)}; })};
}
void draw(Random& random, core::VoteReply& to) { to = {draw_flag(random), draw_rank(random)}; }
void draw(Random& random, core::StandNow& to) { to.target = draw_member(random); }
void draw(Random& random, core::FetchRequest& to) {
    to = {draw_number(random), draw_rank(random), {draw_number(random)}, static_cast<std::uint32_t>(random.below(1 << 20))};
}
void draw(Random& random, core::FetchReply& to) {
    to.id = draw_number(random);
    to.status = static_cast<core::FetchStatus>(random.between(1, 4));
    to.previous = draw_low_rank(random);
    to.entries = draw_entries(random, to.previous, true);
    to.commit = {draw_number(random)};
    to.last = draw_rank(random);
    to.epochs = draw_runs(random);
}
void draw(Random& random, core::Inquiry& to) {
    to = {draw_number(random), {draw_number(random)}, draw_optional(random, [&] { return draw_entry_id(random); })};
}
void draw(Random& random, core::InquiryReply& to) {
    to = {draw_number(random), static_cast<core::InquiryAnswer>(random.between(1, 4)), {}, draw_rank(random)};
    if (to.answer == core::InquiryAnswer::kHearsMaster) to.master = draw_member(random);
}
void draw(Random& random, core::CopyRequest& to) {
    to = {draw_number(random), static_cast<std::uint32_t>(random.next()), draw_number(random)};
}
void draw(Random& random, core::CopyReply& to) {
    to = {.copy = draw_number(random),
          .position = draw_entry_id(random),
          .timestamp = draw_number(random),
          .files = draw_list(random, [&] { return core::CopyFile{"f" + std::to_string(random.next()), draw_number(random)}; }),
          .file = static_cast<std::uint32_t>(random.next()),
          .offset = draw_number(random),
          .data = draw_bytes(random, 3000),
          .checksum = static_cast<std::uint32_t>(random.next()),
          .error = draw_bytes(random)};
    if (draw_flag(random)) to.membership = draw_membership(random);
}
void draw(Random& random, core::CopyEnd& to) { to.copy = draw_number(random); }
void draw(Random& random, core::SwitchoverAsk& to) { to = {draw_number(random), draw_member(random).node}; }
void draw(Random& random, core::SwitchoverAnswer& to) {
    to = {draw_number(random), draw_optional(random, [&] { return draw_member(random); }), {}};
    if (!to.master) to.refused = {core::kRefusalCodes[random.below(core::kRefusalCodes.size())], draw_bytes(random)};
}
void draw(Random& random, core::ForwardedWrites& to) { to.payload = draw_bytes(random, 3000); }

/// The variant's alternative number `kind`, default made.
template <class Variant, std::size_t... I>
Variant make_alternative(std::size_t kind, std::index_sequence<I...>) {
    Variant out;
    (void)((kind == I && (out.template emplace<I>(), true)) || ...);
    return out;
}
template <class Variant>
Variant make_alternative(std::size_t kind) {
    return make_alternative<Variant>(kind, std::make_index_sequence<std::variant_size_v<Variant>>());
}

// -- client protocol -----------------------------------------------------------------------------------------------------------

native::Expected draw_expected(Random& random, bool absent_too) {
    switch (random.below(absent_too ? 3 : 2)) {
        case 0: return native::ValueIs{draw_bytes(random)};
        case 1: return native::VersionIs{{draw_number(random)}};
        default: return native::Absent{};
    }
}
native::Condition draw_condition(Random& random) {
    native::Condition out{draw_bytes(random), native::Exists{}};
    switch (random.below(4)) {
        case 0: out.test = native::Absent{}; break;
        case 1: out.test = native::ValueIs{draw_bytes(random)}; break;
        case 2: out.test = native::VersionIs{{draw_number(random)}}; break;
        default: break;
    }
    return out;
}
native::Command draw_command(Random& random) {
    switch (random.below(4)) {
        case 0: return native::Put{draw_bytes(random), draw_bytes(random)};
        case 1: return native::Delete{draw_bytes(random)};
        case 2: return native::Increment{draw_bytes(random), static_cast<std::int64_t>(random.next())};
        default: return native::Get{draw_bytes(random)};
    }
}

void draw(Random& random, native::Hello& to) { to = {static_cast<std::uint32_t>(random.next()), draw_text(random), draw_text(random)}; }
void draw(Random& random, native::Get& to) { to.key = draw_bytes(random); }
void draw(Random& random, native::Put& to) { to = {draw_bytes(random), draw_bytes(random, 3000)}; }
void draw(Random& random, native::Delete& to) { to.key = draw_bytes(random); }
void draw(Random& random, native::CompareAndSet& to) { to = {draw_bytes(random), draw_expected(random, true), draw_bytes(random)}; }
void draw(Random& random, native::CompareAndDelete& to) { to = {draw_bytes(random), draw_expected(random, false)}; }
void draw(Random& random, native::Increment& to) { to = {draw_bytes(random), static_cast<std::int64_t>(random.next())}; }
void draw(Random& random, native::Scan& to) {
    to = {draw_bytes(random), draw_bytes(random), draw_bytes(random), static_cast<std::uint32_t>(random.next()), draw_flag(random)};
}
void draw(Random& random, native::Batch& to) {
    to.conditions = draw_list(random, [&] { return draw_condition(random); });
    to.commands = draw_list(random, [&] { return draw_command(random); });
    if (to.conditions.empty()) to.commands.push_back(draw_command(random));
}
void draw(Random&, native::StatusRequest&) {}
void draw(Random& random, native::RegisterSession& to) { to.lifetime_ms = draw_number(random); }
void draw(Random&, native::KeepSession&) {}
void draw(Random&, native::CloseSession&) {}
void draw(Random& random, native::Switchover& to) { to.target = {random.below(1ull << 32)}; }
void draw(Random& random, native::GetMany& to) {
    to.keys = draw_list(random, [&] { return draw_bytes(random); });
}

native::Role draw_role(Random& random) { return static_cast<native::Role>(random.below(5)); }
native::NodeState draw_state(Random& random) { return static_cast<native::NodeState>(random.below(7)); }
NodeId draw_node(Random& random) { return {random.below(1ull << 32)}; }
native::Topology draw_topology(Random& random) {
    return {{draw_number(random)}, draw_node(random), draw_list(random, [&] {
                return native::TopologyNode{draw_node(random), draw_role(random), draw_state(random), draw_text(random)};
            })};
}
native::Value draw_value(Random& random) { return {draw_flag(random), draw_bytes(random), {draw_number(random)}}; }

void draw(Random& random, native::ErrorReply& to) {
    const std::uint64_t code = random.between(1, 18);
    to = {static_cast<native::Code>(code <= 14 ? code : code + 86), draw_text(random),
          draw_optional(random, [&] { return draw_topology(random); })};
}
void draw(Random& random, native::HelloReply& to) {
    to = {static_cast<std::uint32_t>(random.next()),
          draw_text(random),
          draw_text(random),
          {draw_number(random)},
          draw_node(random),
          draw_topology(random),
          static_cast<native::ReadLevel>(random.below(4)),
          static_cast<native::WriteLevel>(random.below(4))};
}
void draw(Random& random, native::Value& to) { to = draw_value(random); }
void draw(Random& random, native::Written& to) { to = {draw_flag(random), {draw_number(random)}}; }
void draw(Random& random, native::Compared& to) { to = {draw_flag(random), draw_flag(random), draw_bytes(random), {draw_number(random)}}; }
void draw(Random& random, native::Page& to) {
    to.rows = draw_list(random, [&] { return native::Row{draw_bytes(random), draw_bytes(random), {draw_number(random)}}; });
    to.next = draw_optional(random, [&] { return draw_bytes(random); });
}
void draw(Random& random, native::BatchReply& to) {
    to = {draw_flag(random), static_cast<std::uint32_t>(random.next()), draw_value(random),
          draw_list(random, [&] { return draw_value(random); })};
}
void draw(Random& random, native::StatusReply& to) {
    to = {draw_text(random), {draw_number(random)}, {draw_number(random)}, draw_node(random), {}, draw_node(random)};
    to.nodes = draw_list(random, [&] {
        return native::NodeStatus{.id = draw_node(random),
                                  .role = draw_role(random),
                                  .state = draw_state(random),
                                  .why = draw_text(random),
                                  .client = draw_text(random),
                                  .peer = draw_text(random),
                                  .http = draw_text(random),
                                  .sentinel = draw_text(random),
                                  .incarnation = {draw_number(random)},
                                  .rank = draw_optional(random, [&] { return draw_rank(random); }),
                                  .commit = draw_optional(random, [&] { return Lsn{draw_number(random)}; }),
                                  .applied = draw_optional(random, [&] { return Lsn{draw_number(random)}; }),
                                  .lag_ms = draw_optional(random, [&] { return draw_number(random); }),
                                  .lag_entries = draw_optional(random, [&] { return draw_number(random); })};
    });
}
void draw(Random& random, native::SessionReply& to) { to.session = {draw_number(random)}; }
void draw(Random& random, native::SwitchoverReply& to) { to.master = draw_node(random); }
void draw(Random& random, native::Values& to) {
    to.values = draw_list(random, [&] { return draw_value(random); });
}

}  // namespace

std::vector<Entry> draw_entries(Random& random, Rank previous, bool gaps, std::size_t size_max) {
    EntryId before{previous.epoch, previous.lsn, static_cast<std::uint32_t>(random.next())};
    return draw_list(
        random,
        [&] {
            const bool gap = gaps && random.chance(1, 4);
            if (gap) before = {before.epoch, {before.lsn.value + random.between(1, 50)}, static_cast<std::uint32_t>(random.next())};
            const Epoch epoch{std::max<std::uint64_t>(1, before.epoch.value + random.below(3))};
            const auto kind = static_cast<EntryKind>(random.between(1, 4));
            Entry entry = Entry::make(epoch, before, draw_number(random), kind, draw_bytes(random, random.chance(1, 20) ? 100'000 : 60));
            before = entry.id();
            return entry;
        },
        size_max);
}

core::Message draw_message(Random& random, std::size_t kind) {
    core::Message message{.header = {{draw_number(random)}, draw_member(random), {random.between(1000, 1ull << 40)}},
                          .body = make_alternative<core::Body>(kind)};
    std::visit([&](auto& body) { draw(random, body); }, message.body);
    return message;
}

native::Request draw_request(Random& random, std::size_t kind) {
    native::Request request{.id = random.between(1, 1ull << 60),
                            .token = draw_optional(random, [&] { return draw_rank(random); }),
                            .read_level = static_cast<native::ReadLevel>(random.below(4)),
                            .write_level = static_cast<native::WriteLevel>(random.below(4)),
                            .deadline_ms = draw_number(random),
                            .max_lag_ms = draw_number(random),
                            .body = make_alternative<native::RequestBody>(kind)};
    std::visit([&](auto& body) { draw(random, body); }, request.body);
    const bool about_session =
        std::holds_alternative<native::KeepSession>(request.body) || std::holds_alternative<native::CloseSession>(request.body);
    if (about_session || draw_flag(random)) {
        request.session = {random.between(1, 1ull << 50)};
        request.sequence = random.between(1, 1ull << 50);
        request.lowest_unanswered = random.below(request.sequence + 1);
    }
    return request;
}

native::Reply draw_reply(Random& random, std::size_t kind) {
    native::Reply reply{.id = draw_number(random),
                        .epoch = {draw_number(random)},
                        .at = draw_rank(random),
                        .level_reached = static_cast<native::WriteLevel>(random.below(4)),
                        .replayed = draw_flag(random),
                        .body = make_alternative<native::ReplyBody>(kind)};
    std::visit([&](auto& body) { draw(random, body); }, reply.body);
    return reply;
}

}  // namespace tanist::protocol
