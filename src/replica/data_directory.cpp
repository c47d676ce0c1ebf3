// SPDX-License-Identifier: Apache-2.0
#include "replica/data_directory.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/random.h"
#include "replica/install_marker.h"
#include "wal/identity_file.h"
#include "wal/path.h"

namespace tanist::replica {
namespace {

Incarnation new_incarnation(Random& random) {
    if (mutant(Mutant::kIncarnationReused)) return {1};
    std::uint64_t drawn = 0;
    while (drawn == 0) drawn = random.next();  // 0 means "unknown"
    return {drawn};
}

struct OpenedIdentity {
    Identity identity;
    bool fresh = false;
};

Result<OpenedIdentity> open_identity(wal::FileSystem& files, const DataDirectoryOptions& options, const store::Store& store,
                                     Random& random) {
    auto loaded = wal::load_identity(files, options.path);
    if (!loaded) return fail(loaded.error());
    if (loaded->has_value()) {
        const NodeId owner = (*loaded)->id.node;
        if (owner != options.node) {
            return fail(ErrorCode::kRefused, "{} belongs to node {}, and node.id = {}: each node needs a data directory of its own",
                        options.path, owner.value, options.node.value);
        }
        return OpenedIdentity{**loaded};
    }
    // Nothing else may be here yet: an identity is the first thing that a new directory gets.
    for (const char* name : {"wal", "vote.a", "vote.b"}) {
        auto found = files.exists(options.path + "/" + name);
        if (!found) return fail(found.error());
        if (*found || !store.position().applied.lsn.is_zero()) {
            return fail(ErrorCode::kRefused,
                        "{}/identity is missing, while the directory holds data ({}): restore the file, or empty the directory to start as "
                        "a new node",
                        options.path, *found ? name : "store");
        }
    }
    Identity identity{.id = {options.node, new_incarnation(random)}, .founding = std::nullopt};
    if (Status saved = wal::save_identity(files, options.path, identity); !saved) return fail(saved.error());
    return OpenedIdentity{std::move(identity), true};
}

void add_warning(std::string& warnings, std::string_view warning) {
    if (!warnings.empty()) warnings += "; ";
    warnings += warning;
}

Result<std::unique_ptr<wal::Log>> open_log(wal::FileSystem& files, const std::string& path, const wal::LogOptions& options,
                                           const store::Position& position, Random& random, std::string& warnings) {
    auto log = wal::Log::open(files, path + "/wal", options, random.next());
    if (!log) return log;
    if (const wal::Found& found = (*log)->found(); found.cut_in_doubt) {
        add_warning(warnings, fmt::format("log cut behind lsn={}, for nobody could be asked: acknowledged writes may be lost at={}",
                                          found.last.lsn.value, found.where));
    }
    auto was_reset = finish_install(files, path, position, **log);
    if (!was_reset) return fail(was_reset.error());
    // Cut by hand below what the store has applied: the store holds more than the log, which begins anew behind it.
    const bool store_is_ahead = options.only_voter && options.cut_corruption && (*log)->last().lsn < position.applied.lsn;
    if (store_is_ahead) {
        if (Status reset = (*log)->reset(position.applied); !reset) return fail(reset.error());
    }
    if (!*was_reset && !store_is_ahead) return log;
    log->reset();
    return wal::Log::open(files, path + "/wal", options, random.next());
}

bool is_only_voter(const Identity& identity, const DataDirectoryOptions& options) {
    if (!identity.founding) return options.configured_voters == 1;
    const Member* self = identity.founding->find(identity.id);
    return self != nullptr && self->votes() && identity.founding->voters() == 1;
}

/// Holds the state of the store against the log (S7): what is applied is in the log, unless the log has a hole there.
Status check_store_against_log(const wal::Log& log, const store::Position& position, bool only_voter, std::string& warnings) {
    const wal::Found& found = log.found();
    const EntryId applied = position.applied;
    const bool has_hole = found.tail != Tail::kClean && found.tail != Tail::kTorn;
    if (applied.lsn > log.last().lsn && !has_hole) {
        return fail(ErrorCode::kCorrupt,
                    "the log ends at lsn={}, and the store has applied lsn={}: the log was lost or replaced; empty the data directory to "
                    "start as a new node",
                    log.last().lsn.value, applied.lsn.value);
    }
    if (applied.lsn < log.base().lsn) {
        const std::string warning = fmt::format("state store ends before the log begins: it was lost applied_lsn={} log_base={}",
                                                applied.lsn.value, log.base().lsn.value);
        add_warning(warnings, warning);
        if (only_voter) return fail(ErrorCode::kCorrupt, "{}; the only voter has nobody to copy from: restore a backup", warning);
        return {};
    }
    if (applied.lsn.is_zero() || applied.lsn > log.last().lsn) return {};
    auto logged = log.id_of(applied.lsn);
    if (!logged) return fail(logged.error(), "checking the store against the log");
    if (*logged != applied) {
        return fail(
            ErrorCode::kCorrupt,
            "at lsn={} the log holds an entry of epoch {}, and the store has applied one of epoch {}: log and store are not of one node",
            applied.lsn.value, logged->epoch.value, applied.epoch.value);
    }
    return {};
}

core::StartState describe(const wal::Log& log, const commands::StateMachine& state) {
    const wal::Found& found = log.found();
    core::StartState start;
    start.tail = found.cut_in_doubt ? Tail::kClean : found.tail;  // what was cut is told by a warning
    start.base = log.base();
    start.last = log.last();
    start.mark = found.mark;
    start.epochs = found.epochs;
    start.memberships = found.memberships;
    start.behind_hole = found.behind_hole;
    start.last_timestamp = found.last_timestamp;
    start.tail_where = found.where;
    start.applied = state.position().applied;
    start.applied_timestamp = state.position().timestamp;
    start.applied_membership = state.membership();
    return start;
}

}  // namespace

Result<DataDirectory> open_data_directory(wal::FileSystem& files, store::Store& store, const DataDirectoryOptions& options,
                                          std::uint64_t seed) {
    Random random(seed);
    if (Status made = files.make_directory(options.path); !made) return fail(made.error());
    // A directory that its parent forgets in a power cut takes everything with it.
    if (Status synced = files.sync_directory(wal::directory_of(options.path)); !synced) return fail(synced.error());
    auto opened = open_identity(files, options, store, random);
    if (!opened) return fail(opened.error());
    Identity& identity = opened->identity;
    const bool only_voter = is_only_voter(identity, options);

    DataDirectory directory{.path = options.path, .votes = std::make_unique<wal::VoteFile>(files, options.path)};
    auto vote = directory.votes->load();
    if (!vote && vote.error().code != ErrorCode::kCorrupt) return fail(vote.error());

    wal::LogOptions log_options = options.log;
    log_options.only_voter = only_voter;
    // It was opened before it was admitted, and what was opened has a segment ever after: without any, the log is lost, not new (S9).
    log_options.must_exist = identity.founding.has_value();
    std::string warnings;
    auto log = open_log(files, options.path, log_options, store.position(), random, warnings);
    if (!log) return fail(log.error());
    directory.log = std::move(*log);

    auto state = commands::StateMachine::open(store);
    if (!state) return fail(state.error());
    directory.state = std::move(*state);

    if (Status checked = check_store_against_log(*directory.log, directory.state->position(), only_voter, warnings); !checked) {
        return fail(checked.error(), options.path);
    }
    directory.start = describe(*directory.log, *directory.state);
    directory.start.storage_warning = std::move(warnings);

    if (vote) {
        directory.start.vote = *vote;
    } else {
        directory.start.vote_lost = vote.error().message;
    }
    directory.start.identity = identity;
    directory.start.pristine = !identity.founding && vote && !*vote && directory.log->last().lsn.is_zero() &&
                               directory.start.applied.lsn.is_zero() && directory.start.tail == Tail::kClean;
    return directory;
}

}  // namespace tanist::replica
