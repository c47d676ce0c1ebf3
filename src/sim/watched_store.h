// SPDX-License-Identifier: Apache-2.0
// A store that reports, after each change, where it stands and the digest of everything in it: kept up to date, not recomputed.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace tanist::sim {

/// Of a medium: what whoever reads it is told to be corrupt.
struct RottenRow {
    std::string key;  ///< empty: none
    bool was_met = false;
};

class WatchedStore final : public store::Store {
public:
    using Watcher = std::function<void(const store::Position&, std::uint64_t digest)>;
    /// `rotten` outlives this: it is of the disk, and good again once a checkpoint has replaced everything there.
    WatchedStore(std::unique_ptr<store::Store> store, RottenRow& rotten, Watcher watcher);

    /// Whether checkpoints made from now on hold a wrong bit somewhere.
    void rot_checkpoints(bool rot) { rots_ = rot; }

    /// A checkpoint may have been installed: digest and position anew, reported when they moved.
    void look_again();

    [[nodiscard]] Result<std::size_t> read(std::span<const std::string_view> keys, std::size_t bytes_max,
                                           const Visit& visit) const override;
    [[nodiscard]] Result<store::ScanRows> scan(const store::ScanRequest& request) const override;
    [[nodiscard]] Status apply(std::span<const store::Change> changes, const store::Position& position) override;
    [[nodiscard]] store::Position position() const override { return store_->position(); }
    [[nodiscard]] Lsn stored() const override { return store_->stored(); }
    [[nodiscard]] Status flush() override { return store_->flush(); }
    [[nodiscard]] std::uint64_t unstored_bytes() const override { return store_->unstored_bytes(); }
    [[nodiscard]] Result<std::unique_ptr<store::Checkpoint>> checkpoint() override;
    [[nodiscard]] Result<std::unique_ptr<store::CheckpointReceiver>> receive() override { return store_->receive(); }
    [[nodiscard]] Result<std::uint64_t> digest() override { return store_->digest(); }

private:
    /// Digest and position anew.
    void see();
    [[nodiscard]] Error unreadable() const;
    /// Of the rows as they are before the changes under way.
    [[nodiscard]] std::vector<std::string> keys_in(const store::Change& range) const;

    std::unique_ptr<store::Store> store_;
    RottenRow& rotten_;
    Watcher watcher_;
    store::Position seen_;
    std::uint64_t digest_ = 0;
    bool rots_ = false;
};

}  // namespace tanist::sim
