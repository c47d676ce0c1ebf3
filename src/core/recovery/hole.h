// SPDX-License-Identifier: Apache-2.0
// A damaged log until it is repaired (S9): what is missing, what may have been there, and what has been found to fill it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/entry.h"
#include "base/types.h"
#include "core/message.h"

namespace tanist::core {

/// One answer to the running inquiry.
struct Answer {
    NodeId node;
    bool votes = false;
    InquiryAnswer answer = InquiryAnswer::kDenies;
    Rank last;
};

struct Inquiring {
    std::uint64_t id = 0;  ///< 0: none runs
    Epoch epoch;           ///< durable here; answers of any other are not combined with these
    Lsn from;
    std::vector<Answer> answers;  ///< one a node
    std::uint64_t sent_tick = 0;
};

enum class RepairPhase : std::uint8_t {
    kWaiting,    ///< for a master, or for the deadline
    kMaster,     ///< a master is heard: it fills or cuts
    kProbing,    ///< no master: asks who is there, how far their logs go, and whether they hear one
    kPulling,    ///< from one member after the other
    kInquiring,  ///< who still has what is in doubt?
};

struct Hole {
    Tail kind = Tail::kInDoubt;     ///< kInDoubt, kCorrupt or kUnbounded
    std::optional<EntryId> intent;  ///< nullopt: without upper bound
    Rank readable_intent;           ///< kUnbounded: what could still be read of the mark
    EntryId confirmed;
    std::vector<EntryId> behind;  ///< good records behind the first bad one, ascending by LSN
    Rank claimed;                 ///< the highest that may have been held here; meaningless without upper bound
    EntryId applied;              ///< by the state store at this start: committed, whatever is left of the log
    Epoch start_epoch;            ///< durable when this process started: only the reign of a later one settles kUnbounded

    // What was found so far: entries that follow `start` without a gap. Only the first `trusted` of them are known to be the ones
    // that belong there: a master's, or committed at a peer, or chained to by a good record or the mark.
    EntryId start;  ///< an entry that we hold; at first the last good one
    std::vector<Entry> fill;
    std::size_t fill_bytes = 0;
    std::size_t trusted = 0;
    bool original = false;  ///< fill[trusted-1] is the very entry that was here: a good record or the mark names it
    bool voided = false;    ///< the trusted fill contradicts what was here: all behind it goes

    RepairPhase phase = RepairPhase::kWaiting;
    std::uint64_t phase_deadline = 0;
    std::vector<NodeId> sources;   ///< kPulling: still to be asked, best last
    std::optional<NodeId> source;  ///< of the fetch under way
    std::uint64_t fetch_id = 0, fetch_tick = 0;
    std::uint64_t read_token = 0;  ///< of good records behind the hole, read here
    Inquiring inquiry;

    [[nodiscard]] EntryId tip() const { return fill.empty() ? start : fill.back().id(); }
};
inline constexpr std::size_t kFillBytesMax = 256 << 20;  ///< more than this is not repaired entry by entry: a copy is taken (S25)

/// What a record at `lsn` was, where a good record behind the hole or the mark tells.
[[nodiscard]] std::optional<EntryId> known_id(const Hole& hole, Lsn lsn);
/// Adds the entry that follows tip(). `trusted`: a master's, or committed at the peer that gave it. False: it contradicts what
/// is known to have been here and is not trusted, so it was not added.
bool extend_fill(Hole& hole, const Entry& entry, bool trusted);
/// Forgets what is not trusted: its source is gone, or led nowhere.
void drop_untrusted(Hole& hole);

enum class Verdict : std::uint8_t {
    kMore,      ///< entries are missing still
    kReadOwn,   ///< the next one is a good record behind the hole: it tells whether it chains to the fill
    kComplete,  ///< the fill ends the hole; good records behind it chain on
    kVoided,    ///< the fill ends the hole; what was behind it never was of the cluster's history
};
[[nodiscard]] Verdict judge(const Hole& hole);
/// Good records behind the hole that follow `lsn` without a gap.
[[nodiscard]] std::vector<EntryId> run_behind(const Hole& hole, Lsn lsn);

enum class Settled : std::uint8_t {
    kNotYet,
    kFetch,  ///< a member has good entries: they are to be fetched
    kCut,    ///< nobody can have them, or they were never committed
};
/// Whether a member with good entries behind the fill, whose log ends at `last`, has what belongs there. Without upper bound the highest
/// log is pulled; one that is longer and lower parts from it, and what it has there was never committed (S6).
[[nodiscard]] bool may_give(const Hole& hole, Rank last);
/// What the answers to one inquiry allow. `voters` and `quorum` count this node, which never denies.
[[nodiscard]] Settled settle(const Hole& hole, std::size_t voters, std::size_t quorum);
/// Whether doubt about everything from `from` on may be settled by asking: what is known to have been durable or applied here
/// is not in doubt.
[[nodiscard]] bool may_inquire(const Hole& hole, Lsn from, Lsn applied);

}  // namespace tanist::core
