// SPDX-License-Identifier: Apache-2.0
// What nodes say to each other, as structs; protocol/peer_codec.h turns them into frames. Every message travels under a Header.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/entry.h"
#include "base/membership.h"
#include "base/result.h"
#include "base/types.h"

namespace tanist::core {

/// Who speaks, from which cluster, in which epoch (S1, S3a). Cluster 0: none accepted yet (formation).
struct Header {
    ClusterId cluster;
    MemberId sender;
    Epoch epoch;
    friend bool operator==(const Header&, const Header&) = default;
};

/// What a node was first started as (`node.role`); after formation the log decides.
enum class ConfiguredRole : std::uint8_t { kMaster = 1, kSlave, kSpare, kWitness };

// -- connection and formation (S2) ------------------------------------------------------------------------------------------

/// The first message on each connection, in both directions; sent again whenever `pristine` or the cluster changes.
struct Hello {
    std::string cluster_name;
    ConfiguredRole role = ConfiguredRole::kSlave;
    Addresses addresses;
    std::vector<NodeId> configured;  ///< the node ids of cluster.nodes, ascending: all must agree to form
    bool pristine = false;           ///< durably: never held an epoch, vote, log or cluster id
    Rank intent;  ///< rank of the mark's intent (S1: may not sink below what was acknowledged); all ones: without upper bound (S9)
    friend bool operator==(const Hello&, const Hello&) = default;
};
/// From the lowest configured id, or from any founder to one that is listed and has not accepted yet.
struct FormationProposal {
    Membership founding;
    friend bool operator==(const FormationProposal&, const FormationProposal&) = default;
};
/// Sent once the founding membership is durable here.
struct FormationAccept {
    friend bool operator==(const FormationAccept&, const FormationAccept&) = default;
};
/// Why the sender will not talk to this node: another cluster, a replaced incarnation, a configuration that disagrees. An operator reads
/// it.
struct Refusal {
    std::string reason;
    friend bool operator==(const Refusal&, const Refusal&) = default;
};
/// The answer to any message of a lower epoch: the header carries ours (S3a).
struct HigherEpoch {
    friend bool operator==(const HigherEpoch&, const HigherEpoch&) = default;
};

// -- replication (S5, S6, S18) ------------------------------------------------------------------------------------------------

/// A master's sign of life that names no position of its log: while it has none to name yet (before its epoch-start entry, S15), and
/// while entries are under way, which it may overtake. `commit` and `round` as in Append.
struct Heartbeat {
    Lsn commit;
    std::uint64_t round = 0;
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
/// Entries behind `previous`, or none: then a heartbeat. `round` numbers the confirmation rounds of linearizable reads.
struct Append {
    Rank previous;
    std::vector<Entry> entries;
    Lsn commit;
    std::uint64_t round = 0;
    Lsn acknowledged;  ///< by the addressee, in this epoch: one whose mark states less has lost entries and quarantines itself (S1)
    Lsn everywhere;    ///< durable on every data voter: so far a witness may recycle (S11)
    friend bool operator==(const Append&, const Append&) = default;
};
/// As an intent: the sender's log is corrupt without upper bound (S9).
inline constexpr Rank kWithoutUpperBound{{std::numeric_limits<std::uint64_t>::max()}, {std::numeric_limits<std::uint64_t>::max()}};
struct AppendAck {
    Lsn acknowledged;  ///< min(durable, matched)
    Lsn applied;
    Rank intent;              ///< S1
    std::uint64_t round = 0;  ///< the highest seen in this epoch
    friend bool operator==(const AppendAck&, const AppendAck&) = default;
};
/// `previous` is not held: from `epochs` the master finds the point of divergence at once. Nothing was acknowledged.
struct AppendReject {
    Rank previous;  ///< as refused
    Lsn base;       ///< the log starts behind this
    Rank last;
    std::vector<EpochRun> epochs;  ///< newest kEpochRunsMax of the log
    std::uint64_t round = 0;
    bool needs_copy = false;  ///< the state store is lost or too old for any log: only a checkpoint helps (S25)
    friend bool operator==(const AppendReject&, const AppendReject&) = default;
};
inline constexpr std::size_t kEpochRunsMax = 1024;

/// A slave serves a linearizable read: the master confirms its majority in a round that starts after this arrives (S18).
struct ReadIndexRequest {
    std::uint64_t id = 0;
    friend bool operator==(const ReadIndexRequest&, const ReadIndexRequest&) = default;
};
struct ReadIndexReply {
    std::uint64_t id = 0;
    std::optional<Lsn> lsn;  ///< wait until this is applied; nullopt: cannot confirm now
    friend bool operator==(const ReadIndexReply&, const ReadIndexReply&) = default;
};

// -- failover (S13, S17) --------------------------------------------------------------------------------------------------------

/// Would you vote for me in `proposed`? Neither side changes its epoch.
struct PreVoteRequest {
    Epoch proposed;
    Rank rank;
    friend bool operator==(const PreVoteRequest&, const PreVoteRequest&) = default;
};
struct PreVoteReply {
    Epoch proposed;
    bool granted = false;
    std::optional<MemberId> master;  ///< whom the sender hears, so that the asker knocks there
    Rank rank;                       ///< of the sender: one that is behind pulls first (S14)
    friend bool operator==(const PreVoteReply&, const PreVoteReply&) = default;
};
/// The header's epoch is the one voted in.
struct VoteRequest {
    Rank rank;
    std::optional<Epoch> switchover_of;  ///< S17: the epoch whose master ordered this candidacy
    friend bool operator==(const VoteRequest&, const VoteRequest&) = default;
};
struct VoteReply {
    bool granted = false;
    Rank rank;
    friend bool operator==(const VoteReply&, const VoteReply&) = default;
};
/// S17, sent by the master to its chosen successor, whose log equals its own by then. The header's epoch is the one that ends.
struct StandNow {
    MemberId target;
    friend bool operator==(const StandNow&, const StandNow&) = default;
};

/// To the master: a client here wants it to hand over (S17). Sent once: what is lost on the way runs into the asker's deadline. Ids of one
/// process rise, so that the master takes no ask twice.
struct SwitchoverAsk {
    std::uint64_t id = 0;
    NodeId target;  ///< 0: the most up-to-date slave
    friend bool operator==(const SwitchoverAsk&, const SwitchoverAsk&) = default;
};
struct Refused {
    ErrorCode code = ErrorCode::kUnavailable;  ///< one of kRefusalCodes
    std::string reason;
    friend bool operator==(const Refused&, const Refused&) = default;
};
/// What SwitchoverEnded can say, in the order of their numbers on the wire, from 1 on.
inline constexpr std::array kRefusalCodes{ErrorCode::kInvalidArgument, ErrorCode::kUnavailable,    ErrorCode::kNotMaster,
                                          ErrorCode::kOverloaded,      ErrorCode::kOutcomeUnknown, ErrorCode::kRefused};
struct SwitchoverAnswer {
    std::uint64_t id = 0;
    std::optional<MemberId> master;  ///< after it; nullopt: `refused` says why there was none
    Refused refused;
    friend bool operator==(const SwitchoverAnswer&, const SwitchoverAnswer&) = default;
};

/// To the master: requests that clients sent to the sender, numbered in a session, so that each copy of them may arrive (S21). There is no
/// answer: the sender sees them executed in the log, and sends them again until then.
struct ForwardedWrites {
    std::string payload;  ///< commands/request.h, at most kPayloadBytesMax long
    friend bool operator==(const ForwardedWrites&, const ForwardedWrites&) = default;
};

// -- recovery (S9, S14, S15) ------------------------------------------------------------------------------------------------------

/// Pulls entries: those behind `previous` up to `through`. Changes nothing at the asked.
struct FetchRequest {
    std::uint64_t id = 0;
    Rank previous;
    Lsn through;  ///< 0: as far as you have
    std::uint32_t bytes_max = 0;
    friend bool operator==(const FetchRequest&, const FetchRequest&) = default;
};
enum class FetchStatus : std::uint8_t {
    kEntries = 1,  ///< as far as they go; none: there is nothing behind `previous`
    kDiverged,     ///< `previous` is not held: `epochs` tells where the logs part
    kRecycled,     ///< behind `previous` entries are gone: a checkpoint is needed
    kBusy,         ///< ask again
};
struct FetchReply {
    std::uint64_t id = 0;  ///< as asked; 0: unasked, with kRecycled, from a master to a slave whose next entries are gone (S25)
    FetchStatus status = FetchStatus::kEntries;
    Rank previous;               ///< as asked; unasked: where the log of the sender begins
    std::vector<Entry> entries;  ///< single good ones may stand behind a gap when the sender has a hole (S9)
    Lsn commit;                  ///< of the sender
    Rank last;
    std::vector<EpochRun> epochs;
    friend bool operator==(const FetchReply&, const FetchReply&) = default;
};
/// Who still has the entries that are in doubt here, or how far did the log go? The epoch is durable at whoever answers.
struct Inquiry {
    std::uint64_t id = 0;
    Lsn from;                        ///< the first bad entry
    std::optional<EntryId> through;  ///< the intent; nullopt: without upper bound
    friend bool operator==(const Inquiry&, const Inquiry&) = default;
};
enum class InquiryAnswer : std::uint8_t {
    kHearsMaster = 1,  ///< no answer in the matter: go to that master
    kHas,              ///< good entries from `from` on, at least one: fetch them here
    kDenies,           ///< never had any of them: no entry at or behind `from` of that history, no hole there
    kInDoubtToo,       ///< has a hole there itself: neither has nor denies
};
struct InquiryReply {
    std::uint64_t id = 0;
    InquiryAnswer answer = InquiryAnswer::kDenies;
    std::optional<MemberId> master;  ///< with kHearsMaster
    Rank last;
    friend bool operator==(const InquiryReply&, const InquiryReply&) = default;
};

// -- full copy (S25) ----------------------------------------------------------------------------------------------------------------

/// The receiver asks for the next piece; `copy` 0 begins a new copy.
struct CopyRequest {
    std::uint64_t copy = 0;
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
    friend bool operator==(const CopyRequest&, const CopyRequest&) = default;
};
struct CopyFile {
    std::string name;
    std::uint64_t bytes = 0;
    friend bool operator==(const CopyFile&, const CopyFile&) = default;
};
/// A piece of a checkpoint. `checksum` is CRC-32C of `data`. The first reply (to copy 0) names all files and carries no data.
struct CopyReply {
    std::uint64_t copy = 0;       ///< 0: refused, `error` says why
    EntryId position;             ///< of the checkpoint
    std::uint64_t timestamp = 0;  ///< log time there
    Membership membership;        ///< there; only in the first reply, as `files` is
    std::vector<CopyFile> files;
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
    std::string data;
    std::uint32_t checksum = 0;
    std::string error;
    friend bool operator==(const CopyReply&, const CopyReply&) = default;
};
/// The receiver is done, or gives up: the donor lets the checkpoint go.
struct CopyEnd {
    std::uint64_t copy = 0;
    friend bool operator==(const CopyEnd&, const CopyEnd&) = default;
};

/// Numbers on the wire follow this order; append only (protocol/peer.proto).
using Body =
    std::variant<Hello, FormationProposal, FormationAccept, Refusal, HigherEpoch, Heartbeat, Append, AppendAck, AppendReject,
                 ReadIndexRequest, ReadIndexReply, PreVoteRequest, PreVoteReply, VoteRequest, VoteReply, StandNow, FetchRequest, FetchReply,
                 Inquiry, InquiryReply, CopyRequest, CopyReply, CopyEnd, SwitchoverAsk, SwitchoverAnswer, ForwardedWrites>;

/// What is said to one peer keeps its order within a lane. What is urgent may overtake what is bulky, which can take seconds on a slow
/// link: signs of life, acknowledgements and votes must not wait for that. Appends are all of one lane: a lost one shows by a later one.
enum class Lane : std::uint8_t { kUrgent, kBulk };
[[nodiscard]] inline Lane lane_of(const Body& body) {
    const bool is_bulky = std::holds_alternative<Append>(body) || std::holds_alternative<FetchReply>(body) ||
                          std::holds_alternative<CopyReply>(body) || std::holds_alternative<ForwardedWrites>(body);
    return is_bulky ? Lane::kBulk : Lane::kUrgent;
}

struct Message {
    Header header;
    Body body;
    friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace tanist::core
