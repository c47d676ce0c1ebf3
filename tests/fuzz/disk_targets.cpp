// SPDX-License-Identifier: Apache-2.0
// What lies on a disk: vote files, the identity, a whole data directory, and logs that were damaged or never were ours.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "replica/data_directory.h"
#include "replica/install_marker.h"
#include "store/memory_store.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "wal/identity_file.h"
#include "wal/log.h"
#include "wal/memory_file_system.h"
#include "wal/record.h"
#include "wal/segment_name.h"
#include "wal/slot.h"
#include "wal/vote_file.h"

namespace tanist::fuzz {
namespace {

using namespace wal;
using Seeds = std::vector<std::string>;

const std::string kDirectory = "data";

void put_file(FileSystem& files, const std::string& name, std::string_view content) {
    const auto file = files.open(kDirectory + "/" + name, OpenMode::kCreate);
    ENSURE(file.has_value() && (*file)->write_at(0, as_bytes(content)).has_value());
}

std::string checksummed(std::string content) {
    ByteWriter(content).u32(crc32c(as_bytes(content)));
    return content;
}

// -- vote files ------------------------------------------------------------------------------------------------------------

/// Missing, anything, or a vote of few epochs and candidates, maybe with a byte changed.
std::optional<std::string> draw_vote_file(Input& input) {
    const std::size_t choice = input.below(4);
    if (choice == 0) return std::nullopt;
    if (choice == 1) return input.text();
    std::string content = encode(Vote{{input.below(4)}, {{input.below(3)}, {input.below(3)}}});
    if (choice == 3) content[input.below(content.size())] = static_cast<char>(input.byte());
    return content;
}

/// What two files say by S3; nullopt: the vote is lost. Neither is missing.
std::optional<Vote> expected_vote(const std::optional<Vote>& a, const std::optional<Vote>& b) {
    if (!a || !b) return a ? a : b;
    if (a->epoch != b->epoch) return a->epoch > b->epoch ? a : b;
    if (b->candidate.node.is_zero() || *a == *b) return a;
    if (a->candidate.node.is_zero()) return b;
    return std::nullopt;
}

void run_vote_file(Bytes bytes) {
    Input input(bytes);
    MemoryFileSystem files;
    ENSURE(files.make_directory(kDirectory).has_value());
    const auto a = draw_vote_file(input), b = draw_vote_file(input);
    if (a) put_file(files, "vote.a", *a);
    if (b) put_file(files, "vote.b", *b);
    const auto expected = expected_vote(a ? decode_vote(*a) : std::nullopt, b ? decode_vote(*b) : std::nullopt);
    VoteFile votes(files, kDirectory);
    const auto loaded = votes.load();
    if (!a && !b) {
        ENSURE(loaded && !*loaded);
    } else if (!expected) {
        ENSURE(!loaded && loaded.error().code == ErrorCode::kCorrupt);
        return;
    } else {
        ENSURE(loaded && *loaded == expected);
        for (const char* name : {"/vote.a", "/vote.b"}) ENSURE(read_file(files, kDirectory + name, 512) == encode(*expected));
    }
    const Vote next{(expected ? expected->epoch : Epoch{}).next(), {{2}, {7}}};
    ENSURE(votes.save(next).has_value());
    const auto saved = VoteFile(files, kDirectory).load();
    ENSURE(saved && *saved == next);
}

Seeds vote_seeds() {
    return {std::string("\x02\x01\x01\x01\x02\x01\x01\x01", 8), std::string("\x02\x01\x01\x01\x02\x01\x02\x01", 8),
            std::string("\x02\x01\x00\x00\x03\x01\x02\x01\x20x", 10), std::string("\x00\x02\x03\x01\x01", 5), std::string("\x00\x00", 2)};
}

// -- the identity ------------------------------------------------------------------------------------------------------------

Membership some_membership() {
    return {.cluster = {99},
            .cluster_name = "c",
            .members = {{.id = {{1}, {1}}, .addresses = {"a:1", "", "", ""}}, {.id = {{2}, {7}}, .seat = Seat::kWitness}}};
}

std::string identity_content(const Identity& identity) {
    MemoryFileSystem files;
    ENSURE(files.make_directory(kDirectory).has_value() && save_identity(files, kDirectory, identity).has_value());
    return read_file(files, kDirectory + "/identity", 4096).value();
}

/// The first byte says whether the rest gets its checksum right.
std::string draw_identity_file(Bytes bytes) {
    Input input(bytes);
    const bool is_checksummed = input.flag();
    std::string content(as_text(input.rest()));
    return is_checksummed ? checksummed(content) : content;
}

void run_identity_file(Bytes bytes) {
    MemoryFileSystem files;
    ENSURE(files.make_directory(kDirectory).has_value());
    put_file(files, "identity", draw_identity_file(bytes));
    const auto loaded = load_identity(files, kDirectory);
    if (!loaded) {
        ENSURE(loaded.error().code == ErrorCode::kCorrupt);
        return;
    }
    ENSURE(loaded->has_value());
    ENSURE(save_identity(files, kDirectory, **loaded).has_value());
    const auto again = load_identity(files, kDirectory);
    ENSURE(again && *again == *loaded);
}

Seeds identity_seeds() {
    const std::string founded = identity_content({.id = {{2}, {7}}, .founding = some_membership()});
    const std::string fresh = identity_content({.id = {{2}, {7}}, .founding = std::nullopt});
    return {'\1' + founded.substr(0, founded.size() - 4), '\1' + fresh.substr(0, fresh.size() - 4), '\0' + founded};
}

// -- a log ---------------------------------------------------------------------------------------------------------------------

constexpr LogOptions kSmallLog{.segment_bytes = kRecordsOffset + 2048, .retention_bytes = 0, .spare_segments_max = 1};
const std::string kLogDirectory = kDirectory + "/wal";

/// The ids of what the log says it holds, which must be there and chain.
std::vector<EntryId> ids_in(const Log& log) {
    std::vector<EntryId> ids;
    EntryId before = log.base();
    while (before.lsn < log.last().lsn) {
        const auto entries = log.read(before.lsn.next(), log.last().lsn, 512);
        ENSURE(entries.has_value());
        ENSURE(!entries->empty());
        for (const Entry& entry : *entries) {
            ENSURE(entry.follows(before));
            before = entry.id();
            ids.push_back(before);
        }
    }
    ENSURE(before == log.last());
    return ids;
}

/// Reads everything, starts again without change, ends a hole and writes: none of it may end the process.
void use(MemoryFileSystem& files, std::unique_ptr<Log> log, std::uint64_t seed) {
    const auto ids = ids_in(*log);
    for (const EntryId& id : log->found().behind_hole) {
        ENSURE(id.lsn > log->last().lsn);
        const auto read = log->read(id.lsn, id.lsn, 0);
        ENSURE(read && read->front().id() == id);
    }
    log.reset();
    files.kill();
    auto again = Log::open(files, kLogDirectory, kSmallLog, seed);
    ENSURE(again.has_value());
    ENSURE(ids_in(**again) == ids);
    const bool has_hole = (*again)->tail() == Tail::kInDoubt || (*again)->tail() == Tail::kCorrupt;
    if (has_hole) {
        ENSURE((*again)->repair({}).has_value());
        ENSURE((*again)->tail() == Tail::kClean && ids_in(**again) == ids);
    }
    if ((*again)->tail() == Tail::kUnbounded) return;
    const EntryId last = (*again)->last();
    if (last.lsn.value > UINT64_MAX / 2) return;  // nobody's log gets there
    const Entry next = Entry::make(last.epoch.next(), last, 1, EntryKind::kEpochStart, {});
    ENSURE((*again)->write(std::span(&next, 1)).has_value());
    ENSURE((*again)->sync().has_value());
}

/// A log with a history, and what is known of it.
struct WrittenLog {
    std::vector<EntryId> ids;  ///< by LSN, from 1 on; those recycled, too
    std::vector<EntryId> cut;  ///< what was written, and cut again
    Lsn acknowledged;          ///< synced up to here
};

WrittenLog write_log(Input& input, MemoryFileSystem& files) {
    WrittenLog written;
    auto log = Log::open(files, kLogDirectory, kSmallLog, 1).value();
    Epoch epoch{1};
    const auto append = [&](std::size_t payload_bytes) {
        const Entry entry = Entry::make(epoch, log->last(), 1000, EntryKind::kCommands, std::string(payload_bytes, 'x'));
        ENSURE(log->write(std::span(&entry, 1)).has_value());
        written.ids.push_back(entry.id());
    };
    const auto cut = [&](std::uint64_t entries) {
        const Lsn keep{log->last().lsn.value - std::min(entries, log->last().lsn.value - log->base().lsn.value)};
        ENSURE(log->cut(keep).has_value());
        written.cut.insert(written.cut.end(), written.ids.begin() + static_cast<std::ptrdiff_t>(keep.value), written.ids.end());
        written.ids.resize(keep.value);
        written.acknowledged = keep;
        epoch = epoch.next();
    };
    for (std::size_t steps = 1 + input.below(12); steps > 0; --steps) {
        const std::uint8_t choice = input.byte();
        switch (choice % 8) {
            case 0: ENSURE(log->confirm().has_value()); break;
            case 1: epoch = epoch.next(); break;
            case 2: cut(1 + choice / 8U); break;
            case 3: ENSURE(log->recycle({choice / 8U}).has_value()); break;
            case 4: append(900); break;
            default: append(choice / 2U);
        }
        if (input.byte() % 4 == 0) continue;
        ENSURE(log->sync().has_value());
        written.acknowledged = log->last().lsn;
    }
    if (input.flag()) {
        ENSURE(log->close().has_value());
        written.acknowledged = log->last().lsn;
    }
    return written;
}

std::vector<std::string> segments_in(MemoryFileSystem& files) {
    std::vector<std::string> paths;
    const auto names = files.list(kLogDirectory).value();
    for (const std::string& name : names) {
        if (name.ends_with(kSegmentSuffix)) paths.push_back(kLogDirectory + "/" + name);
    }
    return paths;
}

void damage(Input& input, MemoryFileSystem& files) {
    const auto paths = segments_in(files);
    const std::string& path = paths[paths.size() - 1 - input.below(paths.size())];
    const std::size_t kind = input.below(8);
    // Slots and records, not the zeros between them.
    const std::uint64_t place = input.below(256) * 16U;
    const std::uint64_t offset =
        place < 2 * kSlotBytes ? place / kSlotBytes * kSlotStride + place % 128 : kRecordsOffset + place - 2 * kSlotBytes;
    switch (kind) {
        case 0:
            if (paths.size() > 1) files.lose(path);
            break;
        case 1: files.cut_short(path, offset); break;
        case 2: files.zero(path, offset, 16 * (1 + input.byte())); break;
        case 3: files.make_unreadable(path, offset, 1); break;
        default: files.corrupt(path, offset + input.below(16), static_cast<std::uint8_t>(1U << input.below(8)));
    }
}

/// A log that was written, then damaged in several places: whatever is read is what was written, and where something acknowledged is
/// missing the log says so (S9).
void run_damaged_log(Bytes bytes) {
    Input input(bytes);
    MemoryFileSystem files;
    const WrittenLog written = write_log(input, files);
    files.kill();
    for (std::size_t damages = input.below(4); damages > 0; --damages) damage(input, files);
    auto opened = Log::open(files, kLogDirectory, kSmallLog, 2);
    if (!opened) {
        ENSURE(!opened.error().message.empty());
        return;
    }
    const Log& log = **opened;
    const auto may_be_read = [&](const EntryId& id) {
        const bool is_last_written = id.lsn.value <= written.ids.size() && id == written.ids[id.lsn.value - 1];
        // With the newest segment what it had cut is forgotten; then the log, without a bound, claims to hold more and never less.
        return is_last_written || (log.tail() == Tail::kUnbounded && std::ranges::find(written.cut, id) != written.cut.end());
    };
    const bool says_whole = log.tail() == Tail::kClean || log.tail() == Tail::kTorn;
    if (says_whole) ENSURE(log.last().lsn >= written.acknowledged);
    for (const EntryId& id : ids_in(log)) ENSURE(may_be_read(id));
    for (const EntryId& id : log.found().behind_hole) ENSURE(may_be_read(id));
    use(files, std::move(*opened), 3);
}

Seeds damaged_log_seeds() {
    const std::string history("\x0b\x27\x01\x04\x01\x2f\x00\x04\x01\x01\x01\x37\x01\x04\x01\x04\x01\x00\x01\x3f\x01\x0a\x01\x47\x01", 25);
    Seeds seeds;
    for (const char kind : {'\0', '\1', '\2', '\3', '\4'}) {
        for (const char place : {'\x00', '\x21', '\x41', '\x50'}) seeds.push_back(history + std::string{0, 1, 0, kind, place, 3, 2});
    }
    return seeds;
}

// -- a log that never was ours -----------------------------------------------------------------------------------------------------

EntryId draw_entry_id(Input& input, const EntryId& near) {
    switch (input.below(4)) {
        case 0: return near;
        case 1: return {};
        case 2: return {near.epoch, near.lsn.next(), static_cast<std::uint32_t>(input.number())};
        default: return {{input.number()}, {input.number()}, static_cast<std::uint32_t>(input.number())};
    }
}

/// A segment whose checksums are right, whatever it says; returns the last entry in it.
EntryId write_segment(Input& input, FileSystem& files, const SegmentName& name, EntryId last) {
    const std::uint32_t seed = checksum_seed(name);
    const std::string path = kLogDirectory + "/" + file_name(name);
    const auto file = files.open(path, OpenMode::kCreate).value();
    ENSURE(file->write_at(kSmallLog.segment_bytes - 1, as_bytes(std::string_view("\0", 1))).has_value());
    const EntryId base = last;
    std::uint64_t offset = kRecordsOffset;
    for (std::size_t records = input.below(8); records > 0 && offset < kSmallLog.segment_bytes - 400; --records) {
        const std::uint8_t choice = input.byte();
        const EntryId before = choice % 8 == 0 ? draw_entry_id(input, last) : last;
        const Entry entry = Entry::make({std::max<std::uint64_t>(before.epoch.value, choice / 64)}, before, 7, EntryKind::kCommands,
                                        std::string(choice % 64, 'y'));
        ENSURE(RecordWriter().write(*file, offset, choice % 8 == 1 ? seed + 1 : seed, std::span(&entry, 1)).has_value());
        offset += record_bytes(entry);
        last = entry.id();
    }
    for (std::uint64_t place = 0; place < 2; ++place) {
        const std::size_t kind = input.below(8);
        if (kind == 0) continue;
        Slot slot{.number = place + input.below(3),
                  .base = kind == 1 ? draw_entry_id(input, base) : base,
                  .mark = {.intent = draw_entry_id(input, last), .confirmed = draw_entry_id(input, last)},
                  .seal = std::nullopt,
                  .starts_log = kind == 2,
                  .unsettled = kind == 3};
        if (kind >= 6) slot.seal = Seal{{kind == 6 ? last.lsn.value : input.number()}, name.use_id + 1};
        ENSURE(file->write_at(place * kSlotStride, encode(slot, seed)).has_value());
    }
    return last;
}

/// Segments that contradict themselves and each other: a start takes them, or refuses, and what it takes it can use.
void run_strange_log(Bytes bytes) {
    Input input(bytes);
    MemoryFileSystem files;
    ENSURE(files.make_directory(kLogDirectory).has_value());
    EntryId last;
    for (std::uint64_t segment = 1 + input.below(3), number = 1; number <= segment; ++number) {
        const bool is_next = input.byte() % 8 != 0;
        const Lsn first{is_next ? last.lsn.value + 1 : input.number()};
        last = write_segment(input, files, {.sequence = number, .first_lsn = first, .use_id = number}, last);
    }
    auto opened = Log::open(files, kLogDirectory, kSmallLog, 2);
    if (!opened) {
        ENSURE(!opened.error().message.empty());
        return;
    }
    use(files, std::move(*opened), 3);
}

Seeds strange_log_seeds() {
    return {std::string("\x00\x01\x03\x42\x43\x44\x04\x00\x00\x05\x00\x00", 12),
            std::string("\x01\x01\x02\x42\x43\x04\x00\x00\x06\x00\x00\x01\x02\x42\x43\x04\x00\x00\x02\x00\x00", 21),
            std::string("\x00\x01\x03\x42\x41\x44\x04\x02\x09\x03\x07\x09\x00", 13)};
}

// -- a whole data directory ----------------------------------------------------------------------------------------------------------

/// Installs a checkpoint at `position` as a copy does; a crash may come between any two of its steps, so `steps` of them are done.
void begin_install(FileSystem& files, store::DurableImage& image, const EntryId& position, std::size_t steps) {
    if (steps > 0) ENSURE(replica::mark_install(files, kDirectory, position).has_value());
    if (steps > 1) image.position = {position, 1000};
}

/// Files that are missing, valid or neither, in any mixture. What opens opens again, as the same node with the same votes and log.
void run_data_directory(Bytes bytes) {
    Input input(bytes);
    MemoryFileSystem files;
    const auto image = std::make_shared<store::DurableImage>();
    ENSURE(files.make_directory(kDirectory).has_value());
    const std::uint8_t choice = input.byte();
    if ((choice & 1) != 0) put_file(files, "identity", identity_content({{{2}, {7}}, some_membership()}));
    if ((choice & 2) != 0) put_file(files, "identity", draw_identity_file(input.take(input.byte())));
    if (const auto a = draw_vote_file(input)) put_file(files, "vote.a", *a);
    if (const auto b = draw_vote_file(input)) put_file(files, "vote.b", *b);
    std::vector<EntryId> ids;
    if ((choice & 4) != 0) {
        ids = write_log(input, files).ids;
        files.kill();
    }
    if ((choice & 8) != 0 && !ids.empty()) image->position = {ids[input.below(ids.size())], 1000};
    if ((choice & 16) != 0) begin_install(files, *image, {{9}, {input.number()}, 5}, input.below(3));
    if ((choice & 32) != 0) put_file(files, "copy.installing", checksummed(input.text()));
    if ((choice & 64) != 0 && !ids.empty()) damage(input, files);

    const auto open = [&](store::Store& store, std::uint64_t seed) {
        replica::DataDirectoryOptions options{
            .path = kDirectory, .node = {2}, .configured_voters = (choice & 128) != 0 ? 1U : 3U, .log = kSmallLog};
        return replica::open_data_directory(files, store, options, seed);
    };
    std::optional<core::StartState> first;
    for (const std::uint64_t seed : {1, 2}) {
        const auto store = store::open_memory_store(image);
        auto opened = open(*store, seed);
        files.kill();
        if (!opened) {
            ENSURE(!first && !opened.error().message.empty());
            return;
        }
        const core::StartState& start = opened->start;
        if (first) {
            ENSURE(start.identity == first->identity);
            ENSURE(start.vote == first->vote);
            ENSURE(start.last == first->last && start.base == first->base);
        }
        first = start;
    }
}

Seeds data_directory_seeds() {
    const std::string votes("\x02\x01\x01\x01\x02\x01\x01\x01", 8), log = damaged_log_seeds().front().substr(0, 26);
    return {std::string("\x00\x00\x00", 3),
            "\x01" + votes,
            "\x05" + votes + log,
            "\x0d" + votes + log + "\x04",
            "\x1d" + votes + log + std::string("\x02\x09\x02", 3),
            "\x45" + votes + log + "\x01\x02\x50\x03"};
}

constexpr std::array kTargets = {
    Target{"vote_file", run_vote_file, vote_seeds},
    Target{"identity_file", run_identity_file, identity_seeds},
    Target{"damaged_log", run_damaged_log, damaged_log_seeds},
    Target{"strange_log", run_strange_log, strange_log_seeds},
    Target{"data_directory", run_data_directory, data_directory_seeds},
};

}  // namespace

std::span<const Target> disk_targets() { return kTargets; }

}  // namespace tanist::fuzz
