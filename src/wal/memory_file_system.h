// SPDX-License-Identifier: Apache-2.0
// A virtual disk for tests and simulator: it remembers what was synced, loses the rest in a crash, and fails on demand.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "wal/file_system.h"

namespace tanist::wal {

/// What changes a disk. Reads are not counted: they cannot be crashed into.
enum class DiskOperation : std::uint8_t { kWrite, kSync, kTruncate, kCreate, kRename, kRemove, kMakeDirectory, kSyncDirectory };
inline constexpr std::size_t kDiskOperations = 8;
[[nodiscard]] std::string_view to_string(DiskOperation operation);

/// The model: a sector (512 bytes) is written whole or not at all. Between two syncs of a file a crash may keep any of the
/// versions that each sector and the file's size went through, each on its own. Of the unsynced changes to directories it keeps
/// a prefix (a journal, as ext4 has it) or any subset (all that POSIX promises). Same calls and same random numbers, same disk.
/// May be used from several threads; the hook is called by the thread that does the operation, before it.
class MemoryFileSystem final : public FileSystem {
public:
    MemoryFileSystem();
    ~MemoryFileSystem() override;

    [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    [[nodiscard]] Status rename(const std::string& from, const std::string& to) override;
    [[nodiscard]] Status remove(const std::string& path) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& directory) override;
    [[nodiscard]] Status make_directory(const std::string& directory) override;
    [[nodiscard]] Status sync_directory(const std::string& directory) override;
    [[nodiscard]] Result<bool> exists(const std::string& path) override;
    [[nodiscard]] Result<std::uint64_t> bytes_free(const std::string& path) override;

    /// The power is cut and comes back. Files that were open answer errors from now on.
    void crash(Random& random);
    /// The process dies, the page cache stays. Files that were open answer errors from now on.
    void kill();
    /// A disk in the same state, unsynced changes included; without hook, crash point and open files.
    [[nodiscard]] std::unique_ptr<MemoryFileSystem> snapshot() const;

    /// Asked before each operation; an error is returned in its stead and nothing is done. After a kSync that failed this way the
    /// cache holds what the disk does not, and no later sync writes it ("Can Applications Recover from fsync Failures?").
    using Hook = std::function<Status(DiskOperation, const std::string& path)>;
    void set_hook(Hook hook);
    /// The power goes at the operation with this number, counted from 1 since the disk was made: it and all later ones fail and
    /// change nothing, until crash(). 0: never.
    void fail_from(std::uint64_t operation);
    [[nodiscard]] std::uint64_t operations() const;
    [[nodiscard]] std::uint64_t operations(DiskOperation kind) const;
    static constexpr std::uint64_t kCapacity = std::uint64_t{1} << 40;
    /// Writes that would need more fail with "no space left on device".
    void set_capacity(std::uint64_t bytes);

    // Faults of the medium, in cache and on disk alike. The file must exist.
    void corrupt(const std::string& path, std::uint64_t offset, std::uint8_t mask = 1);
    void zero(const std::string& path, std::uint64_t offset, std::uint64_t bytes);
    void cut_short(const std::string& path, std::uint64_t size);
    /// Reads that touch these bytes fail from now on, until they are written again.
    void make_unreadable(const std::string& path, std::uint64_t offset, std::uint64_t bytes);
    /// The file is gone, durably.
    void lose(const std::string& path);

    /// Where a write really goes that the disk claims to have done: to `path` at `offset`, its first `bytes` only; nowhere: it is lost.
    /// `cached`: until the power is cut the page cache shows what should be there, though no sync will write it.
    struct Landing {
        std::string path;
        std::uint64_t offset = 0, bytes = 0;
        bool cached = false;
    };
    using Liar = std::function<std::optional<Landing>(const std::string& path, std::uint64_t offset, std::uint64_t bytes)>;
    /// Asked before each write, after the hook; nullopt: it is done as asked.
    void set_liar(Liar liar);

private:
    class Handle;
    static constexpr std::size_t kSectorBytes = 512;
    using Sector = std::array<std::byte, kSectorBytes>;

    /// The versions of a sector and of the size: the durable one first, the present one last.
    struct Inode {
        std::unordered_map<std::uint64_t, std::vector<Sector>> sectors;  ///< one that is missing is zero
        std::set<std::uint64_t> unsynced;                                ///< sectors that the next sync writes
        std::set<std::uint64_t> unreadable;
        std::vector<std::uint64_t> sizes{0};
    };
    using Tree = std::map<std::string, std::shared_ptr<Inode>>;  ///< a directory has no inode

    struct Change {
        DiskOperation kind;
        std::string from, to;  ///< of a creation only `to`, of a removal only `from`
        std::shared_ptr<Inode> inode;
    };

    [[nodiscard]] Status begin(DiskOperation operation, const std::string& path, Inode* inode = nullptr);
    [[nodiscard]] Status write(Inode& inode, const std::string& path, std::uint64_t offset, Bytes bytes);
    [[nodiscard]] Result<std::size_t> read(const Inode& inode, const std::string& path, std::uint64_t offset,
                                           std::span<std::byte> into) const;
    /// True: the write has been dealt with, in another way than was asked for.
    [[nodiscard]] bool lied(Inode& inode, const std::string& path, std::uint64_t offset, std::span<const Bytes> parts);
    void sync(Inode& inode);
    void set_size(Inode& inode, std::uint64_t size);
    void crash(Inode& inode, Random& random);
    void change(Change change);
    static void apply(const Change& change, Tree& tree);
    static Sector present(const Inode& inode, std::uint64_t index);
    static void forget(Inode& inode, std::uint64_t index);
    [[nodiscard]] Inode& inode_of(const std::string& path);

    mutable std::mutex mutex_;  ///< guards everything below: the log's reader and writer threads share one disk
    Tree now_, durable_;
    std::vector<Change> unsynced_;
    std::uint64_t generation_ = 0;  ///< of open files: those of an older one are dead
    std::array<std::uint64_t, kDiskOperations> counts_{};
    std::uint64_t operations_ = 0, fail_from_ = 0;
    std::uint64_t capacity_ = kCapacity, used_ = 0;
    Hook hook_;
    Liar liar_;
};

}  // namespace tanist::wal
