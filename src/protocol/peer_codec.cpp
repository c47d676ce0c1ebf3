// SPDX-License-Identifier: Apache-2.0
#include "protocol/peer_codec.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "peer.pb.h"
#include "protocol/scratch_arena.h"

namespace tanist::protocol {
namespace {

/// What stands between a frame's length and its envelope.
struct PeerHead {
    std::uint32_t checksum, protobuf_bytes;
};
static_assert(sizeof(PeerHead) == 8 && std::has_unique_object_representations_v<PeerHead>);

constexpr std::size_t kConfiguredNodesMax = 1024;
constexpr std::size_t kCopyFilesMax = 1024 * 1024;

// -- structs to protobuf -------------------------------------------------------------------------------------------------------
// Structs are taken apart by structured bindings: one that gains a field does not compile until the field travels.

void put(const MemberId& from, peer::MemberId* to) {
    to->set_node(static_cast<std::uint32_t>(from.node.value));
    to->set_incarnation(from.incarnation.value);
}
void put(const std::optional<MemberId>& from, auto&& make) {
    if (from) put(*from, make());
}
void put(const Rank& from, peer::Rank* to) {
    to->set_epoch(from.epoch.value);
    to->set_lsn(from.lsn.value);
}
void put(const EntryId& from, peer::EntryId* to) {
    to->set_epoch(from.epoch.value);
    to->set_lsn(from.lsn.value);
    to->set_checksum(from.checksum);
}
void put(const std::vector<EpochRun>& from, google::protobuf::RepeatedPtrField<peer::EpochRun>* to) {
    to->Reserve(static_cast<int>(from.size()));
    for (const EpochRun& run : from) {
        peer::EpochRun* added = to->Add();
        added->set_epoch(run.epoch.value);
        added->set_first_lsn(run.first_lsn.value);
    }
}

void put(const core::Hello& from, peer::Envelope& out) {
    const auto& [cluster_name, role, addresses, configured, pristine, intent] = from;
    auto* to = out.mutable_hello();
    to->set_cluster_name(cluster_name);
    to->set_role(static_cast<peer::ConfiguredRole>(role));
    to->set_peer_address(addresses.peer);
    to->set_client_address(addresses.client);
    to->set_http_address(addresses.http);
    to->set_sentinel_address(addresses.sentinel);
    for (const NodeId node : configured) to->add_configured(static_cast<std::uint32_t>(node.value));
    to->set_pristine(pristine);
    put(intent, to->mutable_intent());
}
void put(const core::FormationProposal& from, peer::Envelope& out) {
    out.mutable_formation_proposal()->set_membership(encode(from.founding));
}
void put(const core::FormationAccept&, peer::Envelope& out) { out.mutable_formation_accept(); }
void put(const core::Refusal& from, peer::Envelope& out) { out.mutable_refusal()->set_reason(from.reason); }
void put(const core::HigherEpoch&, peer::Envelope& out) { out.mutable_higher_epoch(); }
void put(const core::Heartbeat& from, peer::Envelope& out) {
    const auto& [commit, round] = from;
    auto* to = out.mutable_heartbeat();
    to->set_commit(commit.value);
    to->set_round(round);
}
void put(const core::Append& from, peer::Envelope& out) {
    const auto& [previous, entries, commit, round, acknowledged, everywhere] = from;
    auto* to = out.mutable_append();
    put(previous, to->mutable_previous());
    to->set_commit(commit.value);
    to->set_round(round);
    to->set_entries(static_cast<std::uint32_t>(entries.size()));
    to->set_acknowledged(acknowledged.value);
    to->set_everywhere(everywhere.value);
}
void put(const core::AppendAck& from, peer::Envelope& out) {
    const auto& [acknowledged, applied, intent, round] = from;
    auto* to = out.mutable_append_ack();
    to->set_acknowledged(acknowledged.value);
    to->set_applied(applied.value);
    put(intent, to->mutable_intent());
    to->set_round(round);
}
void put(const core::AppendReject& from, peer::Envelope& out) {
    const auto& [previous, base, last, epochs, round, needs_copy] = from;
    auto* to = out.mutable_append_reject();
    put(previous, to->mutable_previous());
    to->set_base(base.value);
    put(last, to->mutable_last());
    put(epochs, to->mutable_epochs());
    to->set_round(round);
    to->set_needs_copy(needs_copy);
}
void put(const core::ReadIndexRequest& from, peer::Envelope& out) { out.mutable_read_index_request()->set_id(from.id); }
void put(const core::ReadIndexReply& from, peer::Envelope& out) {
    const auto& [id, lsn] = from;
    auto* to = out.mutable_read_index_reply();
    to->set_id(id);
    if (lsn) to->set_lsn(lsn->value);
}
void put(const core::PreVoteRequest& from, peer::Envelope& out) {
    const auto& [proposed, rank] = from;
    auto* to = out.mutable_pre_vote_request();
    to->set_proposed(proposed.value);
    put(rank, to->mutable_rank());
}
void put(const core::PreVoteReply& from, peer::Envelope& out) {
    const auto& [proposed, granted, master, rank] = from;
    auto* to = out.mutable_pre_vote_reply();
    to->set_proposed(proposed.value);
    to->set_granted(granted);
    put(master, [&] { return to->mutable_master(); });
    put(rank, to->mutable_rank());
}
void put(const core::VoteRequest& from, peer::Envelope& out) {
    const auto& [rank, switchover_of] = from;
    auto* to = out.mutable_vote_request();
    put(rank, to->mutable_rank());
    if (switchover_of) to->set_switchover_of(switchover_of->value);
}
void put(const core::VoteReply& from, peer::Envelope& out) {
    const auto& [granted, rank] = from;
    auto* to = out.mutable_vote_reply();
    to->set_granted(granted);
    put(rank, to->mutable_rank());
}
void put(const core::StandNow& from, peer::Envelope& out) { put(from.target, out.mutable_stand_now()->mutable_target()); }
void put(const core::Refused& from, peer::Refused* to) {
    const auto& [code, reason] = from;
    const auto place = std::ranges::find(core::kRefusalCodes, code) - core::kRefusalCodes.begin();
    ENSURE(static_cast<std::size_t>(place) < core::kRefusalCodes.size());
    to->set_code(static_cast<peer::RefusalCode>(place + 1));
    to->set_reason(reason);
}
void put(const core::SwitchoverAsk& from, peer::Envelope& out) {
    const auto& [id, target] = from;
    auto* to = out.mutable_switchover_ask();
    to->set_id(id);
    to->set_target(static_cast<std::uint32_t>(target.value));
}
void put(const core::SwitchoverAnswer& from, peer::Envelope& out) {
    const auto& [id, master, refused] = from;
    auto* to = out.mutable_switchover_answer();
    to->set_id(id);
    master ? put(*master, to->mutable_master()) : put(refused, to->mutable_refused());
}
void put(const core::ForwardedWrites& from, peer::Envelope& out) {
    const auto& [payload] = from;
    out.mutable_forwarded_writes()->set_payload(payload);
}
void put(const core::FetchRequest& from, peer::Envelope& out) {
    const auto& [id, previous, through, bytes_max] = from;
    auto* to = out.mutable_fetch_request();
    to->set_id(id);
    put(previous, to->mutable_previous());
    to->set_through(through.value);
    to->set_bytes_max(bytes_max);
}
void put(const core::FetchReply& from, peer::Envelope& out) {
    const auto& [id, status, previous, entries, commit, last, epochs] = from;
    auto* to = out.mutable_fetch_reply();
    to->set_id(id);
    to->set_status(static_cast<peer::FetchStatus>(status));
    put(previous, to->mutable_previous());
    to->set_commit(commit.value);
    put(last, to->mutable_last());
    put(epochs, to->mutable_epochs());
    to->set_entries(static_cast<std::uint32_t>(entries.size()));
}
void put(const core::Inquiry& from, peer::Envelope& out) {
    const auto& [id, from_lsn, through] = from;
    auto* to = out.mutable_inquiry();
    to->set_id(id);
    to->set_from(from_lsn.value);
    if (through) put(*through, to->mutable_through());
}
void put(const core::InquiryReply& from, peer::Envelope& out) {
    const auto& [id, answer, master, last] = from;
    auto* to = out.mutable_inquiry_reply();
    to->set_id(id);
    to->set_answer(static_cast<peer::InquiryAnswer>(answer));
    put(master, [&] { return to->mutable_master(); });
    put(last, to->mutable_last());
}
void put(const core::CopyRequest& from, peer::Envelope& out) {
    const auto& [copy, file, offset] = from;
    auto* to = out.mutable_copy_request();
    to->set_copy(copy);
    to->set_file(file);
    to->set_offset(offset);
}
void put(const core::CopyReply& from, peer::Envelope& out) {
    const auto& [copy, position, timestamp, membership, files, file, offset, data, checksum, error] = from;
    auto* to = out.mutable_copy_reply();
    to->set_copy(copy);
    put(position, to->mutable_position());
    to->set_timestamp(timestamp);
    for (const auto& [name, bytes] : files) {
        auto* added = to->add_files();
        added->set_name(name);
        added->set_bytes(bytes);
    }
    to->set_file(file);
    to->set_offset(offset);
    to->set_data(data);
    to->set_checksum(checksum);
    to->set_error(error);
    if (membership != Membership{}) to->set_membership(encode(membership));
}
void put(const core::CopyEnd& from, peer::Envelope& out) { out.mutable_copy_end()->set_copy(from.copy); }

// -- protobuf to structs: everything is checked ------------------------------------------------------------------------

/// Turns parts of an envelope into the core's types and keeps the first thing that is wrong.
class Reader {
public:
    Reader(std::shared_ptr<const void> owner, Bytes entries) : owner_(std::move(owner)), entries_(entries) {}

    template <class... Args>
    void refuse(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
        if (!error_) error_ = Error{code, fmt::format(format, std::forward<Args>(args)...)};
    }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    MemberId member(const peer::MemberId& from, std::string_view field) {
        if (from.node() == 0 || from.incarnation() == 0) {
            refuse(ErrorCode::kInvalidArgument, "{}: node {} incarnation {:x}: neither may be 0", field, from.node(), from.incarnation());
        }
        return {{from.node()}, {from.incarnation()}};
    }
    static Rank rank(const peer::Rank& from) { return {{from.epoch()}, {from.lsn()}}; }
    static EntryId entry_id(const peer::EntryId& from) { return {{from.epoch()}, {from.lsn()}, from.checksum()}; }

    Membership membership(const std::string& from, std::string_view field) {
        auto membership = decode_membership(from);
        if (!membership) refuse(ErrorCode::kInvalidArgument, "{}: {}", field, membership.error().message);
        return std::move(membership).value_or(Membership{});
    }

    /// An enumerator of ours, which run from 1 to `last` without a gap.
    template <class Enum>
    Enum enumerator(int from, Enum last, std::string_view field) {
        if (from < 1 || from > static_cast<int>(last)) {
            refuse(ErrorCode::kInvalidArgument, "{}: {} is not among 1 .. {}", field, from, static_cast<int>(last));
            return last;
        }
        return static_cast<Enum>(from);
    }

    std::vector<EpochRun> runs(const google::protobuf::RepeatedPtrField<peer::EpochRun>& from) {
        std::vector<EpochRun> out;
        if (static_cast<std::size_t>(from.size()) > core::kEpochRunsMax) {
            refuse(ErrorCode::kInvalidArgument, "epochs: {} runs, at most {} are allowed", from.size(), core::kEpochRunsMax);
            return out;
        }
        out.reserve(static_cast<std::size_t>(from.size()));
        for (const peer::EpochRun& run : from) {
            if (!out.empty() && (run.epoch() <= out.back().epoch.value || run.first_lsn() <= out.back().first_lsn.value)) {
                refuse(ErrorCode::kInvalidArgument, "epochs: the run of epoch {} from lsn {} stands behind that of epoch {} from lsn {}",
                       run.epoch(), run.first_lsn(), out.back().epoch.value, out.back().first_lsn.value);
            }
            out.push_back({{run.epoch()}, {run.first_lsn()}});
        }
        return out;
    }

    /// The entries behind the envelope, which says how many there are. They rise, and where `previous` is given follow it and
    /// each other without a gap; none is of an epoch above the sender's.
    std::vector<Entry> entries(std::uint32_t count, Epoch sender_epoch, const Rank& previous, bool gaps_allowed) {
        std::vector<Entry> out;
        if (count > entries_.size() / sizeof(EntryHeader)) {
            refuse(ErrorCode::kCorrupt, "{} entries in {} bytes", count, entries_.size());
            return out;
        }
        out.reserve(count);
        Rank before = previous;
        for (std::uint32_t i = 0; i < count && !error_; ++i) {
            auto entry = Entry::decode(owner_, entries_);
            if (!entry) {
                refuse(entry.error().code, "entry {} of {}: {}", i + 1, count, entry.error().message);
                break;
            }
            entries_ = entries_.subspan(entry->size());
            const bool next = entry->lsn() == before.lsn.next() && (out.empty() || entry->predecessor_checksum() == out.back().checksum());
            if (entry->epoch() < before.epoch || entry->epoch() > sender_epoch || !(next || (gaps_allowed && entry->lsn() > before.lsn))) {
                refuse(ErrorCode::kInvalidArgument,
                       "entry {} of {}, epoch={} lsn={}, does not follow epoch={} lsn={} in a message of epoch {}", i + 1, count,
                       entry->epoch().value, entry->lsn().value, before.epoch.value, before.lsn.value, sender_epoch.value);
            }
            before = entry->rank();
            out.push_back(*std::move(entry));
        }
        return out;
    }
    [[nodiscard]] std::size_t bytes_left() const { return entries_.size(); }

private:
    std::shared_ptr<const void> owner_;
    Bytes entries_;  ///< what nobody has taken yet
    std::optional<Error> error_;
};

core::Hello take(const peer::Hello& from, Reader& reader) {
    core::Hello to{.cluster_name = from.cluster_name(),
                   .role = reader.enumerator(from.role(), core::ConfiguredRole::kWitness, "hello.role"),
                   .addresses = {from.peer_address(), from.client_address(), from.http_address(), from.sentinel_address()},
                   .pristine = from.pristine(),
                   .intent = Reader::rank(from.intent())};
    if (static_cast<std::size_t>(from.configured_size()) > kConfiguredNodesMax) {
        reader.refuse(ErrorCode::kInvalidArgument, "hello.configured: {} nodes, at most {} are allowed", from.configured_size(),
                      kConfiguredNodesMax);
    }
    std::uint32_t before = 0;
    for (const std::uint32_t node : from.configured()) {
        if (node <= before) reader.refuse(ErrorCode::kInvalidArgument, "hello.configured: node {} stands behind node {}", node, before);
        before = node;
        to.configured.push_back({node});
    }
    return to;
}
core::FormationProposal take(const peer::FormationProposal& from, Reader& reader) {
    return {reader.membership(from.membership(), "formation proposal")};
}
core::Append take(const peer::Append& from, Epoch epoch, Reader& reader) {
    const Rank previous = Reader::rank(from.previous());
    return {.previous = previous,
            .entries = reader.entries(from.entries(), epoch, previous, false),
            .commit = {from.commit()},
            .round = from.round(),
            .acknowledged = {from.acknowledged()},
            .everywhere = {from.everywhere()}};
}
core::AppendAck take(const peer::AppendAck& from) {
    return {
        .acknowledged = {from.acknowledged()}, .applied = {from.applied()}, .intent = Reader::rank(from.intent()), .round = from.round()};
}
core::AppendReject take(const peer::AppendReject& from, Reader& reader) {
    return {.previous = Reader::rank(from.previous()),
            .base = {from.base()},
            .last = Reader::rank(from.last()),
            .epochs = reader.runs(from.epochs()),
            .round = from.round(),
            .needs_copy = from.needs_copy()};
}
core::ReadIndexReply take(const peer::ReadIndexReply& from) {
    return {.id = from.id(), .lsn = from.has_lsn() ? std::optional(Lsn{from.lsn()}) : std::nullopt};
}
core::PreVoteReply take(const peer::PreVoteReply& from, Reader& reader) {
    core::PreVoteReply to{.proposed = {from.proposed()}, .granted = from.granted(), .rank = Reader::rank(from.rank())};
    if (from.has_master()) to.master = reader.member(from.master(), "pre-vote reply.master");
    return to;
}
core::VoteRequest take(const peer::VoteRequest& from) {
    return {.rank = Reader::rank(from.rank()),
            .switchover_of = from.has_switchover_of() ? std::optional(Epoch{from.switchover_of()}) : std::nullopt};
}
core::SwitchoverAnswer take(const peer::SwitchoverAnswer& from, Reader& reader) {
    core::SwitchoverAnswer to{.id = from.id()};
    if (from.has_master()) {
        to.master = reader.member(from.master(), "switchover answer.master");
        return to;
    }
    const auto code = static_cast<std::size_t>(from.refused().code());
    if (code == 0 || code > core::kRefusalCodes.size()) {
        reader.refuse(ErrorCode::kInvalidArgument, "switchover answer.refused.code: {} is not among 1 .. {}", code,
                      core::kRefusalCodes.size());
        return to;
    }
    to.refused = {core::kRefusalCodes[code - 1], from.refused().reason()};
    return to;
}
core::ForwardedWrites take(const peer::ForwardedWrites& from, Reader& reader) {
    if (from.payload().size() > kPayloadBytesMax) {
        reader.refuse(ErrorCode::kInvalidArgument, "forwarded writes.payload: {} bytes, an entry's has at most {}", from.payload().size(),
                      kPayloadBytesMax);
    }
    return {from.payload()};
}
core::FetchRequest take(const peer::FetchRequest& from, Reader& reader) {
    if (from.bytes_max() > kEntriesBytesMax) {
        reader.refuse(ErrorCode::kInvalidArgument, "fetch request.bytes_max: {}, a reply carries at most {}", from.bytes_max(),
                      kEntriesBytesMax);
    }
    return {.id = from.id(), .previous = Reader::rank(from.previous()), .through = {from.through()}, .bytes_max = from.bytes_max()};
}
core::FetchReply take(const peer::FetchReply& from, Epoch epoch, Reader& reader) {
    const Rank previous = Reader::rank(from.previous());
    return {.id = from.id(),
            .status = reader.enumerator(from.status(), core::FetchStatus::kBusy, "fetch reply.status"),
            .previous = previous,
            .entries = reader.entries(from.entries(), epoch, previous, true),
            .commit = {from.commit()},
            .last = Reader::rank(from.last()),
            .epochs = reader.runs(from.epochs())};
}
core::Inquiry take(const peer::Inquiry& from) {
    return {.id = from.id(),
            .from = {from.from()},
            .through = from.has_through() ? std::optional(Reader::entry_id(from.through())) : std::nullopt};
}
core::InquiryReply take(const peer::InquiryReply& from, Reader& reader) {
    core::InquiryReply to{.id = from.id(),
                          .answer = reader.enumerator(from.answer(), core::InquiryAnswer::kInDoubtToo, "inquiry reply.answer"),
                          .last = Reader::rank(from.last())};
    if (from.has_master()) to.master = reader.member(from.master(), "inquiry reply.master");
    if (from.has_master() != (to.answer == core::InquiryAnswer::kHearsMaster)) {
        reader.refuse(ErrorCode::kInvalidArgument, "inquiry reply: a master goes with the answer 'hears master', and only with it");
    }
    return to;
}
/// The receiver makes files of these names: none may lead out of its directory.
bool is_plain_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}
core::CopyReply take(const peer::CopyReply& from, Reader& reader) {
    core::CopyReply to{.copy = from.copy(),
                       .position = Reader::entry_id(from.position()),
                       .timestamp = from.timestamp(),
                       .file = from.file(),
                       .offset = from.offset(),
                       .data = from.data(),
                       .checksum = from.checksum(),
                       .error = from.error()};
    if (!from.membership().empty()) to.membership = reader.membership(from.membership(), "copy reply");
    if (static_cast<std::size_t>(from.files_size()) > kCopyFilesMax) {
        reader.refuse(ErrorCode::kInvalidArgument, "copy reply.files: {} files, at most {} are allowed", from.files_size(), kCopyFilesMax);
        return to;
    }
    for (const peer::CopyFile& file : from.files()) {
        if (!is_plain_file_name(file.name()))
            reader.refuse(ErrorCode::kInvalidArgument, "copy reply.files: '{}' is no plain file name", file.name());
        to.files.push_back({file.name(), file.bytes()});
    }
    return to;
}

/// Every case stands here: without a default, a body that is added to the proto file and not here does not compile.
std::optional<core::Body> take_body(const peer::Envelope& from, Epoch epoch, Reader& reader) {
    switch (from.body_case()) {
        case peer::Envelope::kHello: return take(from.hello(), reader);
        case peer::Envelope::kFormationProposal: return take(from.formation_proposal(), reader);
        case peer::Envelope::kFormationAccept: return core::FormationAccept{};
        case peer::Envelope::kRefusal: return core::Refusal{from.refusal().reason()};
        case peer::Envelope::kHigherEpoch: return core::HigherEpoch{};
        case peer::Envelope::kHeartbeat: return core::Heartbeat{{from.heartbeat().commit()}, from.heartbeat().round()};
        case peer::Envelope::kAppend: return take(from.append(), epoch, reader);
        case peer::Envelope::kAppendAck: return take(from.append_ack());
        case peer::Envelope::kAppendReject: return take(from.append_reject(), reader);
        case peer::Envelope::kReadIndexRequest: return core::ReadIndexRequest{from.read_index_request().id()};
        case peer::Envelope::kReadIndexReply: return take(from.read_index_reply());
        case peer::Envelope::kPreVoteRequest:
            return core::PreVoteRequest{{from.pre_vote_request().proposed()}, Reader::rank(from.pre_vote_request().rank())};
        case peer::Envelope::kPreVoteReply: return take(from.pre_vote_reply(), reader);
        case peer::Envelope::kVoteRequest: return take(from.vote_request());
        case peer::Envelope::kVoteReply: return core::VoteReply{from.vote_reply().granted(), Reader::rank(from.vote_reply().rank())};
        case peer::Envelope::kStandNow: return core::StandNow{reader.member(from.stand_now().target(), "stand now.target")};
        case peer::Envelope::kFetchRequest: return take(from.fetch_request(), reader);
        case peer::Envelope::kFetchReply: return take(from.fetch_reply(), epoch, reader);
        case peer::Envelope::kInquiry: return take(from.inquiry());
        case peer::Envelope::kInquiryReply: return take(from.inquiry_reply(), reader);
        case peer::Envelope::kCopyRequest:
            return core::CopyRequest{from.copy_request().copy(), from.copy_request().file(), from.copy_request().offset()};
        case peer::Envelope::kCopyReply: return take(from.copy_reply(), reader);
        case peer::Envelope::kCopyEnd: return core::CopyEnd{from.copy_end().copy()};
        case peer::Envelope::kSwitchoverAsk: return core::SwitchoverAsk{from.switchover_ask().id(), NodeId{from.switchover_ask().target()}};
        case peer::Envelope::kSwitchoverAnswer: return take(from.switchover_answer(), reader);
        case peer::Envelope::kForwardedWrites: return take(from.forwarded_writes(), reader);
        case peer::Envelope::BODY_NOT_SET: return std::nullopt;
    }
    return std::nullopt;
}

/// The number of a body on the wire is its place in core::Body, from 11 on.
template <class B, std::size_t... I>
constexpr int number_of(std::index_sequence<I...>) {
    return ((std::is_same_v<std::variant_alternative_t<I, core::Body>, B> ? static_cast<int>(I) + 11 : 0) + ...);
}
template <class B>
constexpr int kNumber = number_of<B>(std::make_index_sequence<std::variant_size_v<core::Body>>());
static_assert(kNumber<core::Hello> == peer::Envelope::kHelloFieldNumber && kNumber<core::Append> == peer::Envelope::kAppendFieldNumber &&
              kNumber<core::VoteReply> == peer::Envelope::kVoteReplyFieldNumber &&
              kNumber<core::FetchReply> == peer::Envelope::kFetchReplyFieldNumber &&
              kNumber<core::CopyEnd> == peer::Envelope::kCopyEndFieldNumber &&
              kNumber<core::ForwardedWrites> == peer::Envelope::kForwardedWritesFieldNumber);

std::vector<Entry> entries_of(const core::Body& body) {
    if (const auto* append = std::get_if<core::Append>(&body)) return append->entries;
    if (const auto* reply = std::get_if<core::FetchReply>(&body)) return reply->entries;
    return {};
}

}  // namespace

std::size_t EncodedFrame::size() const {
    std::size_t size = 0;
    for_each_piece([&](Bytes piece) { size += piece.size(); });
    return size;
}

void EncodedFrame::append_to(std::string& out) const {
    for_each_piece([&](Bytes piece) { out += as_text(piece); });
}

EncodedFrame encode(const core::Message& message) {
    ENSURE(message.header.sender.node.value >= 1 && message.header.sender.node.value <= std::numeric_limits<std::uint32_t>::max());
    ScratchArena<peer::Envelope> scratch;
    peer::Envelope& envelope = scratch.message();
    envelope.set_cluster(message.header.cluster.value);
    put(message.header.sender, envelope.mutable_sender());
    envelope.set_epoch(message.header.epoch.value);
    std::visit([&](const auto& body) { put(body, envelope); }, message.body);

    EncodedFrame frame{.entries = entries_of(message.body)};
    std::size_t entries_bytes = 0;
    for (const Entry& entry : frame.entries) entries_bytes += entry.size();
    const std::size_t protobuf_bytes = envelope.ByteSizeLong();
    const std::size_t frame_bytes = sizeof(PeerHead) + protobuf_bytes + entries_bytes;
    ENSURE(frame_bytes <= limits::kFrameBytesMax);

    frame.head.resize(kFrameHeadBytes + sizeof(PeerHead) + protobuf_bytes);
    auto* const head = reinterpret_cast<std::byte*>(frame.head.data());
    store_le(head, static_cast<std::uint32_t>(frame_bytes));
    store_le(head + kFrameHeadBytes + offsetof(PeerHead, protobuf_bytes), static_cast<std::uint32_t>(protobuf_bytes));
    envelope.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(head + kFrameHeadBytes + sizeof(PeerHead)));
    const Bytes summed = as_bytes(frame.head).subspan(kFrameHeadBytes + offsetof(PeerHead, protobuf_bytes));
    store_le(head + kFrameHeadBytes + offsetof(PeerHead, checksum), crc32c(summed));
    return frame;
}

Result<core::Message> decode_message(Bytes frame, const std::shared_ptr<const void>& owner) {
    if (frame.size() < sizeof(PeerHead))
        return fail(ErrorCode::kCorrupt, "a frame of {} bytes: its head alone has {}", frame.size(), sizeof(PeerHead));
    const auto expected = load_le<std::uint32_t>(frame.data() + offsetof(PeerHead, checksum));
    const std::size_t protobuf_bytes = load_le<std::uint32_t>(frame.data() + offsetof(PeerHead, protobuf_bytes));
    if (protobuf_bytes > frame.size() - sizeof(PeerHead)) {
        return fail(ErrorCode::kCorrupt, "a frame of {} bytes claims an envelope of {}", frame.size(), protobuf_bytes);
    }
    const Bytes protobuf = frame.subspan(sizeof(PeerHead), protobuf_bytes);
    const Bytes summed = frame.subspan(offsetof(PeerHead, protobuf_bytes), sizeof(std::uint32_t) + protobuf_bytes);
    if (const auto found = crc32c(summed); found != expected) {
        return fail(ErrorCode::kCorrupt, "a frame of {} bytes: checksum {:08x}, its bytes give {:08x}", frame.size(), expected, found);
    }
    ScratchArena<peer::Envelope> scratch;
    peer::Envelope& envelope = scratch.message();
    if (!envelope.ParseFromArray(protobuf.data(), static_cast<int>(protobuf.size()))) {
        return fail(ErrorCode::kCorrupt, "an envelope of {} bytes is no Protobuf message of proto/peer.proto", protobuf_bytes);
    }

    Reader reader(owner, frame.subspan(sizeof(PeerHead) + protobuf_bytes));
    core::Message message;
    message.header = {.cluster = {envelope.cluster()}, .sender = reader.member(envelope.sender(), "sender"), .epoch = {envelope.epoch()}};
    auto body = take_body(envelope, message.header.epoch, reader);
    if (!body) reader.refuse(ErrorCode::kInvalidArgument, "a message of a kind that this version does not know");
    if (body && reader.bytes_left() > 0) reader.refuse(ErrorCode::kCorrupt, "{} bytes behind the last entry", reader.bytes_left());
    if (reader.error()) {
        return fail(reader.error()->code, "from node {}: {}", envelope.sender().node(), reader.error()->message);
    }
    message.body = *std::move(body);
    return message;
}

Result<core::Message> decode_message(const Frame& frame) {
    const bool has_entries =
        frame.bytes.size() >= sizeof(PeerHead) &&
        frame.bytes.size() - sizeof(PeerHead) > load_le<std::uint32_t>(frame.bytes.data() + offsetof(PeerHead, protobuf_bytes));
    // Without entries nothing points into the buffer, which can then be used again.
    return decode_message(frame.bytes, has_entries ? frame.share() : nullptr);
}

}  // namespace tanist::protocol
