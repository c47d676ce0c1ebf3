// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a RocksDB store as files: given out by one store, taken in by another.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/store.h"

namespace tanist::store {

/// Over a directory that it removes at its end.
[[nodiscard]] Result<std::unique_ptr<Checkpoint>> open_rocks_checkpoint(std::string path, const Position& position);

/// Writes files into `path`, an empty directory, which it removes at its end unless `install` took it over. Each file is
/// synced and, when it is one of RocksDB's tables, has all its checksums verified as soon as it is complete: so a copy's work
/// is spread over it, and little is left for the end.
class RocksReceiver final : public CheckpointReceiver {
public:
    /// What is done with the directory when its files are complete and durable.
    using Action = std::function<Status(const std::string& path, const Position& position)>;
    /// `install` takes the directory over; `verify` leaves it.
    RocksReceiver(std::string path, Action verify, Action install)
        : path_(std::move(path)), verify_(std::move(verify)), install_(std::move(install)) {}
    ~RocksReceiver() override;

    Status write(std::string_view name, Bytes bytes) override;
    Status verify(const Position& position) override;
    Status install(const Position& position) override;

private:
    [[nodiscard]] Status finish_file();
    [[nodiscard]] Status finish();
    [[nodiscard]] std::string file_path() const { return path_ + "/" + name_; }

    std::string path_;
    Action verify_, install_;
    bool installed_ = false;
    int file_ = -1;
    std::string name_;             ///< of `file_`
    std::set<std::string> names_;  ///< of all files begun
};

}  // namespace tanist::store
