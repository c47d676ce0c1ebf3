// SPDX-License-Identifier: Apache-2.0
// The power goes at every file operation of a node's life, and again at every operation of the start after it: identity, votes, log,
// store and the installation of a checkpoint still belong together, and hold what was promised.
#include <gmock/gmock.h>

#include <optional>

#include "replica/data_directory.h"
#include "replica/install_marker.h"
#include "store/memory_store.h"
#include "wal/identity_file.h"
#include "wal/memory_file_system.h"

namespace tanist::replica {
namespace {

using testing::AnyOf;

constexpr NodeId kNode{2};
constexpr EntryId kCheckpoint{{3}, {40}, 7};
constexpr int kCrashesAPoint = 6;  // each keeps another subset of what was not synced

/// A disk, and what the node had when it lost its power.
struct Life {
    std::unique_ptr<wal::MemoryFileSystem> files = std::make_unique<wal::MemoryFileSystem>();
    std::shared_ptr<store::DurableImage> image = std::make_shared<store::DurableImage>();

    // What was promised, and what was under way: after a crash it is either.
    std::optional<Incarnation> incarnation;
    std::optional<ClusterId> cluster, next_cluster;
    std::optional<Vote> vote, next_vote;
    EntryId acknowledged;  ///< the log holds it
    std::optional<EntryId> cut_to;
    bool installing = false;

    /// The same disk and promises once more.
    [[nodiscard]] Life copy() const {
        Life other;
        other.files = files->snapshot();
        *other.image = *image;
        other.incarnation = incarnation;
        other.cluster = cluster, other.next_cluster = next_cluster;
        other.vote = vote, other.next_vote = next_vote;
        other.acknowledged = acknowledged, other.cut_to = cut_to, other.installing = installing;
        return other;
    }
};

/// An open data directory, and its store.
struct Opened {
    std::unique_ptr<store::Store> store;
    DataDirectory directory;
};

Result<Opened> open(Life& life, std::uint64_t seed) {
    Opened opened{.store = store::open_memory_store(life.image), .directory = {}};
    DataDirectoryOptions options{.path = "data", .node = kNode, .configured_voters = 3};
    options.log = {.segment_bytes = 8192 + 1024, .retention_bytes = 0, .spare_segments_max = 1};
    auto directory = open_data_directory(*life.files, *opened.store, options, seed);
    if (!directory) return fail(directory.error());
    opened.directory = std::move(*directory);
    life.incarnation = opened.directory.start.identity.id.incarnation;
    return opened;
}

Status found(Life& life, Opened& opened) {
    Identity identity = opened.directory.start.identity;
    identity.founding =
        Membership{.cluster = {99}, .cluster_name = "c", .members = {{.id = identity.id}, {.id = {{3}, {3}}}, {.id = {{4}, {4}}}}};
    life.next_cluster = identity.founding->cluster;
    if (auto saved = wal::save_identity(*life.files, "data", identity); !saved) return saved;
    life.cluster = life.next_cluster;
    return {};
}

Status vote(Life& life, Opened& opened, const Vote& vote) {
    life.next_vote = vote;
    if (auto saved = opened.directory.votes->save(vote); !saved) return saved;
    life.vote = vote;
    return {};
}

Status append(Life& life, Opened& opened, Epoch epoch, int count) {
    wal::Log& log = *opened.directory.log;
    std::vector<Entry> group;
    EntryId last = log.last();
    for (int i = 0; i < count; ++i) {
        group.push_back(Entry::make(epoch, last, 1000, EntryKind::kCommands, std::string(60, 'x')));
        last = group.back().id();
    }
    if (auto written = log.write(group); !written) return written;
    if (auto synced = log.sync(); !synced) return synced;
    life.acknowledged = last;
    return {};
}

Status apply_and_store(Opened& opened, Lsn through) {
    auto entries = opened.directory.log->read(opened.directory.state->position().applied.lsn.next(), through, 1 << 20);
    if (!entries) return fail(entries.error());
    if (auto applied = opened.directory.state->apply(*entries, nullptr); !applied) return applied;
    return opened.store->flush();
}

Status cut(Life& life, Opened& opened, Lsn keep) {
    auto end = opened.directory.log->id_of(keep);
    if (!end) return fail(end.error());
    life.cut_to = *end;
    if (auto done = opened.directory.log->cut(keep); !done) return done;
    life.acknowledged = *end;
    life.cut_to.reset();
    return {};
}

/// As the replica does it (S25); the store replaces its state in one step.
Status install(Life& life, Opened& opened) {
    life.installing = true;
    if (auto marked = mark_install(*life.files, "data", kCheckpoint); !marked) return marked;
    *life.image = {.rows = {}, .position = {kCheckpoint, 2000}};
    if (auto reset = opened.directory.log->reset(kCheckpoint); !reset) return reset;
    if (auto cleared = clear_install(*life.files, "data"); !cleared) return cleared;
    life.installing = false;
    life.acknowledged = kCheckpoint;
    return {};
}

/// From a fresh directory to a node that was copied anew, with a restart on the way.
Status live(Life& life) {
    {
        auto opened = open(life, 1);
        if (!opened) return fail(opened.error());
        if (auto done = found(life, *opened); !done) return done;
        if (auto done = vote(life, *opened, {.epoch = {1}, .candidate = {{3}, {3}}}); !done) return done;
        if (auto done = append(life, *opened, Epoch{1}, 6); !done) return done;
        if (auto done = apply_and_store(*opened, Lsn{3}); !done) return done;
        if (auto done = append(life, *opened, Epoch{1}, 12); !done) return done;  // rolls
        if (auto done = vote(life, *opened, {.epoch = {2}}); !done) return done;
        if (auto done = cut(life, *opened, Lsn{15}); !done) return done;
        if (auto done = append(life, *opened, Epoch{2}, 3); !done) return done;
    }
    life.files->kill();
    auto opened = open(life, 2);
    if (!opened) return fail(opened.error());
    if (auto done = vote(life, *opened, {.epoch = {3}, .candidate = {kNode, *life.incarnation}}); !done) return done;
    if (auto done = install(life, *opened); !done) return done;
    return append(life, *opened, Epoch{3}, 4);
}

/// Whether what a start found is what was promised, or what was under way.
void expect_kept(const Life& life, const Life& before, const Opened& opened) {
    const core::StartState& start = opened.directory.start;
    EXPECT_EQ(start.identity.id.incarnation, before.incarnation.value_or(start.identity.id.incarnation));
    const std::optional<ClusterId> cluster = start.identity.founding ? std::optional(start.identity.founding->cluster) : std::nullopt;
    EXPECT_THAT(cluster, AnyOf(before.cluster, before.next_cluster));
    EXPECT_EQ(start.vote_lost, "");
    EXPECT_THAT(start.vote, AnyOf(before.vote, before.next_vote));
    EXPECT_EQ(start.applied, life.image->position.applied);

    EXPECT_THAT(start.tail, AnyOf(Tail::kClean, Tail::kTorn, Tail::kInDoubt)) << start.tail_where;
    const bool is_installed = before.installing && life.image->position.applied == kCheckpoint;
    if (is_installed) {
        EXPECT_EQ(start.base, kCheckpoint);
        EXPECT_EQ(start.last, kCheckpoint);
        return;
    }
    const wal::Log& log = *opened.directory.log;
    const EntryId kept = before.cut_to && log.last() == *before.cut_to ? *before.cut_to : before.acknowledged;
    ASSERT_GE(log.last().lsn, kept.lsn);
    EXPECT_EQ(log.id_of(kept.lsn).value(), kept);
}

/// Starts from the disk that a crash left, with a second crash at every operation of the start.
void expect_recovery(const Life& crashed, std::uint64_t seed) {
    const std::uint64_t operations = crashed.files->operations();
    for (std::uint64_t point = 1;; ++point) {
        Life life = crashed.copy();
        life.files->fail_from(operations + point);
        const bool is_interrupted = !open(life, seed + point).has_value();
        Random random(seed * 1000 + point);
        life.files->crash(random);
        const auto opened = open(life, seed + point + 1);
        ASSERT_TRUE(opened) << "second crash at operation " << point << " of the start: " << opened.error().message;
        expect_kept(life, crashed, *opened);
        if (testing::Test::HasFailure()) FAIL() << "second crash at operation " << point << " of the start";
        if (!is_interrupted) return;
    }
}

TEST(Crash, AtEveryOperationOfANodesLifeKeepsWhatWasPromised) {  // S1, S3, S4, S5, S10, S25
    for (std::uint64_t point = 1;; ++point) {
        bool is_finished = false;
        for (int crash = 0; crash < kCrashesAPoint; ++crash) {
            Life life;
            life.files->fail_from(point);
            is_finished = live(life).has_value();
            Random random(point * 100 + static_cast<std::uint64_t>(crash));
            crash == 0 ? life.files->kill() : life.files->crash(random);
            expect_recovery(life, point * 100 + static_cast<std::uint64_t>(crash));
            ASSERT_FALSE(testing::Test::HasFailure()) << "crash " << crash << " at operation " << point;
        }
        if (!is_finished) continue;
        EXPECT_GT(point, 60U) << "that was not much of a life";
        return;
    }
}

}  // namespace
}  // namespace tanist::replica
