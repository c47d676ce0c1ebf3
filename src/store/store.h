// SPDX-License-Identifier: Apache-2.0
// The key-value state behind the commands: a narrow interface that takes and answers whole batches.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/types.h"

namespace tanist::store {

/// One change of one key, `value` nullopt deletes it; or, with `end`, the deletion of all keys in [key, end). Keys and values are
/// opaque here: commands/ gives them their meaning. A key has at least one byte and does not begin with a zero byte: those rows are
/// the store's own. All of it is borrowed.
struct Change {
    std::string_view key;
    std::optional<std::string_view> value;
    /// Exclusive; empty: the change is of `key` alone. A range has no value, a key of one byte (rocks_options.cpp), and an end behind it.
    std::string_view end = {};

    [[nodiscard]] bool is_range() const { return !end.empty(); }
    [[nodiscard]] bool is_valid() const {
        return !key.empty() && key.front() != '\0' && (!is_range() || (!value && key.size() == 1 && key < end));
    }
};

/// Where the state stands: moved only together with the data it speaks of.
struct Position {
    EntryId applied;              ///< the last entry whose changes are in
    std::uint64_t timestamp = 0;  ///< of that entry: "now" for commands and reads (S22)
    friend bool operator==(const Position&, const Position&) = default;
};

struct ScanRequest {
    std::string begin;  ///< first key, inclusive
    std::string end;    ///< exclusive; empty: no upper bound
    std::size_t rows_max = 1000;
    std::size_t bytes_max = 1 << 20;  ///< stops after the row that passes it
};
struct ScanRows {
    std::vector<std::pair<std::string, std::string>> rows;  ///< ascending by key
    bool more = false;                                      ///< stopped by a limit: go on behind the last key
};

struct CheckpointFile {
    std::string name;
    std::uint64_t bytes = 0;
};

/// A frozen copy of a store; its files go when it is destroyed. Any one thread.
class Checkpoint {
public:
    virtual ~Checkpoint() = default;
    [[nodiscard]] virtual Position position() const = 0;
    [[nodiscard]] virtual std::span<const CheckpointFile> files() const = 0;
    /// Up to `bytes_max` bytes of the file numbered `file`, from `offset`; fewer only at its end.
    [[nodiscard]] virtual Result<std::string> read(std::size_t file, std::uint64_t offset, std::size_t bytes_max) const = 0;
};

/// Takes in a checkpoint's files in order. Destroyed before install(), it leaves the store as it was.
class CheckpointReceiver {
public:
    virtual ~CheckpointReceiver() = default;
    /// The next bytes of `name`; a new name ends the file before. kInvalidArgument: no name that a checkpoint's file can have,
    /// or one that was ended before.
    [[nodiscard]] virtual Status write(std::string_view name, Bytes bytes) = 0;
    /// Everything has come: checks that it opens as a store at `position`, and changes nothing. kCorrupt: it does not.
    [[nodiscard]] virtual Status verify(const Position& position) = 0;
    /// Checks that what came opens as a store at `position`, then replaces the state by it: after a crash, the old state or the new.
    /// kCorrupt: it does not; kRefused: `position` is below what is applied here (S25). Either leaves the store as it was, and the
    /// receiver useless.
    [[nodiscard]] virtual Status install(const Position& position) = 0;
};

inline constexpr std::size_t kNoBound = static_cast<std::size_t>(-1);

/// Owned and called by one thread, except where a function says otherwise, or share_reads() does. Everything applied is visible at once;
/// what of it the store itself has on disk, so that a restart begins there, is stored(); destroying a store does not wait for the rest. An
/// error is kIo or kCorrupt, and final (S4).
class Store {
public:
    virtual ~Store() = default;

    /// What is held in memory in front of the disk, and how well that answers; all zero where nothing is.
    struct Cache {
        std::uint64_t entries = 0, bytes = 0, bytes_max = 0;
        std::uint64_t pinned_bytes = 0;                     ///< changed, and not in the cold tier yet
        std::uint64_t hits = 0, misses = 0, evictions = 0;  ///< keys, since the store was opened
    };
    [[nodiscard]] virtual Cache cache() const { return {}; }
    /// Another bound for what is held in memory; towards a lower one shrink() takes a step of some milliseconds, and is called now and
    /// then.
    virtual void set_memory_max(std::size_t /*bytes*/) {}
    virtual void shrink() {}

    /// While it is on, read() may be called by several threads at a time, and nothing else by anybody: what is read stands still. Switched
    /// by the owner, who sees to it that what the others do happens in between.
    virtual void share_reads(bool /*on*/) {}

    /// Answers a key: its number in the request, and its value, which is valid during the call; nullopt: there is none.
    using Visit = std::function<void(std::size_t key, std::optional<std::string_view> value)>;
    /// Visits the answers of all `keys`, in order; but no more of them once `bytes_max` bytes of values were read, so maybe fewer than
    /// keys (never none for some): the caller asks again for the rest. Says how many. `visit` must not call the store.
    [[nodiscard]] virtual Result<std::size_t> read(std::span<const std::string_view> keys, std::size_t bytes_max,
                                                   const Visit& visit) const = 0;
    /// The same for those who want to keep the answers.
    [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const;
    [[nodiscard]] Result<std::vector<std::optional<std::string>>> get_many(std::span<const std::string_view> keys,
                                                                           std::size_t bytes_max = kNoBound) const;
    /// Many keys will be read soon: a store that answers faster when it has looked for them together, one with a cache(), does that now,
    /// for as long as it is given. A failure is left to be met by the reads.
    virtual void warm(std::span<const std::string_view> /*keys*/, std::chrono::milliseconds /*time_max*/) const {}
    [[nodiscard]] virtual Result<ScanRows> scan(const ScanRequest& request) const = 0;

    /// Makes all changes and moves the position forward, in one atomic step. Later changes of a key win over earlier ones,
    /// and a range takes with it what changes before it brought.
    [[nodiscard]] virtual Status apply(std::span<const Change> changes, const Position& position) = 0;
    /// False: memory is full of what the disk has not taken in yet, so whoever applies had better wait, and ask again some time later.
    /// What is applied nevertheless is taken.
    [[nodiscard]] virtual bool has_room() const { return true; }

    [[nodiscard]] virtual Position position() const = 0;
    /// Up to where a restart would find the state; trails position(). Any thread.
    [[nodiscard]] virtual Lsn stored() const = 0;
    /// Starts making everything applied so far durable; stored() follows, maybe later and from another thread.
    [[nodiscard]] virtual Status flush() = 0;
    /// Approximate bytes applied and not yet stored: the owner flushes by it, so that a restart replays little.
    [[nodiscard]] virtual std::uint64_t unstored_bytes() const = 0;
    /// Approximate bytes that a flush would write: few where the same keys are written again and again, for each is written once.
    [[nodiscard]] virtual std::uint64_t dirty_bytes() const { return 0; }

    /// A consistent copy of the state at position(), durable, given as files to be streamed (hard links where it can). Waits for
    /// what is not yet stored: it is cheap when a flush() went before it.
    [[nodiscard]] virtual Result<std::unique_ptr<Checkpoint>> checkpoint() = 0;
    /// Begins to take in a checkpoint beside the state, which stays as it is until CheckpointReceiver::install(). Whatever an
    /// earlier, unfinished receiver left is dropped. The receiver must not outlive the store; one at a time.
    [[nodiscard]] virtual Result<std::unique_ptr<CheckpointReceiver>> receive() = 0;

    /// Order-independent digest of all data at position(), for comparing nodes (S26). Reads everything.
    [[nodiscard]] virtual Result<std::uint64_t> digest() = 0;
};

struct StoreOptions {
    std::string path;                             ///< a directory of the store's own; made when it is missing
    std::uint64_t cache_bytes = 256 << 20;        ///< of blocks read
    std::uint64_t write_buffer_bytes = 64 << 20;  ///< applied in memory before it is flushed unasked; up to four of these at once
};

/// Opens the store, empty and at position 0 when nothing is there: the caller compares that with the base of its log (S11).
/// kIo, or kCorrupt with what RocksDB reports; kLocked when another process has it open.
[[nodiscard]] Result<std::unique_ptr<Store>> open_rocks_store(const StoreOptions& options);

/// Gives up what lies at `path`, so that the next open finds an empty store at position 0: for one that opens as kCorrupt,
/// before a full copy (S25, S26). kLocked when it is open.
[[nodiscard]] Status discard_rocks_store(const std::string& path);

}  // namespace tanist::store
