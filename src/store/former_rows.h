// SPDX-License-Identifier: Apache-2.0
// Notes which row the cold tier has under each key that is changed in the hot set, so that a restart need not look for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "store/former_file.h"

namespace tanist::store {

/// A file for each generation of the hot set (former_file.h), in `directory`, until the cold tier has that generation on disk. A
/// position names everything that led to it; so what a file tells about the rows at its base is true whoever asks, and whenever.
///
/// Only a help: nothing is synced, and whatever is missing is looked up. A process that is killed leaves the files behind, a power cut
/// need not. They are written and removed on a thread of their own, since a write() may have to wait for the disk; what that thread does
/// not keep up with is not noted. All functions belong to the owner of the store.
class FormerRows {
public:
    /// Makes the directory, and removes what is in it. `base`: where the cold tier stands. `bytes_max`: of all files.
    FormerRows(std::string directory, const EntryId& base, std::size_t bytes_max);
    ~FormerRows();
    FormerRows(const FormerRows&) = delete;
    FormerRows& operator=(const FormerRows&) = delete;

    /// For each key once a generation, before it is changed: its row, nullopt where there is none.
    void note(std::string_view key, std::optional<std::string_view> row);
    /// The same where nobody knows.
    void note_unknown(std::string_view key);
    /// More is changed in this generation than is noted key by key.
    void note_range();
    /// The generation ends at `position`, where the next one begins.
    void freeze(const EntryId& position);
    /// What the cold tier has on disk.
    void forget_through(Lsn stored);
    /// The cold tier stands at `base`, whatever was before.
    void start_over(const EntryId& base);
    /// Until all that has been noted up to the last freeze() is written.
    void await_written();

private:
    struct Job {
        enum class Kind { kOpen, kWrite, kRemove } kind;
        std::string text;  ///< a path, or what is written
        EntryId base;      ///< of kOpen
    };
    struct File {
        std::string path;
        Lsn end;
        std::size_t bytes;
    };

    void begin(const EntryId& base);
    void append(FormerKind kind, std::string_view key, std::string_view row);
    void hand_over();
    void give(Job job);
    void run();
    void perform(const Job& job);

    const std::string directory_;
    const std::size_t bytes_max_;
    std::string notes_;    ///< not handed over yet
    bool noting_ = false;  ///< the newest generation is noted
    bool whole_ = false;   ///< and without a gap so far
    std::uint64_t files_made_ = 0;
    File newest_;
    std::deque<File> files_;  ///< of generations that are frozen, oldest first
    std::size_t bytes_ = 0;   ///< of all these

    std::mutex mutex_;  ///< guards the next four between the owner and the thread
    std::condition_variable wake_, done_;
    std::deque<Job> jobs_;
    std::size_t waiting_bytes_ = 0;
    bool stopping_ = false, busy_ = false;

    FormerFileWriter file_;  ///< the thread's
    std::jthread thread_;
};

}  // namespace tanist::store
