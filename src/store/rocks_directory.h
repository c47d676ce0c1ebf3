// SPDX-License-Identifier: Apache-2.0
// The directory of a RocksDB store: which database in it counts, and what a crash left over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tanist::store {

/// What lies in it:
///   LOCK          flock()ed while the store is open
///   current       the name of the database in use, and a newline. It is replaced by a rename: that, and nothing else, makes an
///                 installed checkpoint the state
///   db-N/         a RocksDB database. Any but the current one is left over: an unfinished receiver's, or the one before an install
///   checkpoint-N/ a checkpoint being streamed; left over after a crash
///   incoming-N.sst  rows on their way into the current database; left over after a crash
/// Opening removes what is left over. A directory without `current` and without databases is a new store; a `current` whose database
/// is missing is one that lost it, and opens as empty: both stand at position 0, where the log has to begin if they are to be of use.
class RocksDirectory {
public:
    /// kLocked: open elsewhere, in this process or another. kCorrupt: databases, and none of them named.
    [[nodiscard]] static Result<std::unique_ptr<RocksDirectory>> open(const std::string& path);
    /// As open(), but with a new, empty database as the current one, whatever was there.
    [[nodiscard]] static Result<std::unique_ptr<RocksDirectory>> open_anew(const std::string& path);
    ~RocksDirectory();
    RocksDirectory(const RocksDirectory&) = delete;
    RocksDirectory& operator=(const RocksDirectory&) = delete;

    /// Path of the current database; the directory exists.
    [[nodiscard]] const std::string& database() const { return database_; }
    /// Path of a new database directory, empty.
    [[nodiscard]] Result<std::string> make_database();
    /// From here on, also after a crash, `path` (of make_database()) is the current one. The caller has made its files durable.
    [[nodiscard]] Status make_current(const std::string& path);
    /// A path for a new checkpoint, which does not exist yet.
    [[nodiscard]] std::string checkpoint_path();
    /// A path for a file to be ingested: another each time, for RocksDB may leave the name of one that it has taken, and writing to it
    /// again would write to the table.
    [[nodiscard]] std::string incoming_path();

private:
    RocksDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
    [[nodiscard]] static Result<std::unique_ptr<RocksDirectory>> lock(const std::string& path);
    [[nodiscard]] Status remove_leftovers();
    [[nodiscard]] Status write_current(const std::string& name);

    std::string path_;
    int lock_;
    std::string database_;
    std::uint64_t last_database_ = 0;  ///< the highest N of db-N there ever was, as far as this process knows
    std::uint64_t last_checkpoint_ = 0, last_incoming_ = 0;
};

/// fsync of a file or a directory.
[[nodiscard]] Status sync_path(const std::string& path);
/// "path: what the errno says", as kIo.
[[nodiscard]] tl::unexpected<Error> io_failure(const std::string& path);
void remove_tree(const std::string& path);

}  // namespace tanist::store
