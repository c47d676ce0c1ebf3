// SPDX-License-Identifier: Apache-2.0
#include "store/hot_store.h"

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/shared_count.h"
#include "store/former_rows.h"
#include "store/hot_feeder.h"
#include "store/hot_merge.h"
#include "store/hot_set.h"

namespace tanist::store {
namespace {

constexpr std::chrono::seconds kFormerTimeMax{1};
constexpr std::size_t kWarmShare = 4;  ///< one part in so many of memory_max may be filled before anybody asks
/// Of rows read while reads are shared, and kept for the hot set until that ends; what is more is read again when it is asked for again.
constexpr std::size_t kUnadmittedBytesMax = 4 << 20;

class HotStore final : public Store {
public:
    HotStore(std::unique_ptr<Store> cold, const HotStoreOptions& options)
        : gathered_wanted_(options.gathered_max),
          cold_(std::move(cold)),
          hot_(options.memory_max, process_secret()),
          position_(cold_->position()),
          frozen_position_(position_),
          feeder_(*cold_, options.write_max) {
        if (options.former_path.empty()) return;
        take_former(options.former_path);
        former_ = std::make_unique<FormerRows>(options.former_path, position_.applied, options.former_bytes_max);
        hot_.note_former(former_.get());
    }

    Result<std::size_t> read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const override;
    void warm(std::span<const std::string_view> keys, std::chrono::milliseconds time_max) const override;
    Result<ScanRows> scan(const ScanRequest& request) const override;
    Status apply(std::span<const Change> changes, const Position& position) override;
    bool has_room() const override;

    Position position() const override { return position_; }
    Lsn stored() const override { return cold_->stored(); }
    std::uint64_t unstored_bytes() const override;
    std::uint64_t dirty_bytes() const override { return hot_.generations().back()->memory; }
    Cache cache() const override;
    void set_memory_max(std::size_t bytes) override { hot_.set_memory_max(bytes); }
    void shrink() override { hot_.shrink(); }
    void share_reads(bool on) override;
    Status flush() override;

    Result<std::unique_ptr<Checkpoint>> checkpoint() override;
    Result<std::unique_ptr<CheckpointReceiver>> receive() override;
    Result<std::uint64_t> digest() override;

    /// Everything applied is in the cold tier, whose owner we are again.
    [[nodiscard]] Status drain();
    /// The cold tier was replaced by a checkpoint at `position`.
    void start_over(const Position& position);

private:
    struct Mark {
        Lsn lsn;
        std::uint64_t applied_bytes;
    };

    /// What the cold tier answered while reads are shared.
    struct Unadmitted {
        std::string key;
        std::optional<std::string> value;
    };

    /// Keeps what the cold tier answered, as soon as the hot set may change.
    void keep(std::string_view key, std::optional<std::string>& value) const;
    [[nodiscard]] Result<std::size_t> read_batch(std::span<const std::string_view> keys, std::size_t bytes_max, std::size_t first,
                                                 const Visit& visit, std::size_t& bytes) const;
    /// What an earlier process noted of the cold tier as it is.
    void take_former(const std::string& directory);
    /// Those for which the cold tier would be asked.
    [[nodiscard]] std::vector<std::string_view> unknown_of(std::span<const std::string_view> keys) const;
    void freeze();
    [[nodiscard]] std::uint64_t stored_bytes() const;
    [[nodiscard]] std::size_t pinned_bytes() const;

    /// Of one write to the cold tier.
    [[nodiscard]] std::size_t gathered_max() const { return std::min(gathered_wanted_, hot_.memory_max() / 8); }

    const std::size_t gathered_wanted_;
    std::unique_ptr<Store> cold_;
    mutable HotSet hot_;  ///< reading changes what is kept, never what is answered
    mutable SharedCount hits_, misses_;
    bool reads_are_shared_ = false;
    mutable std::mutex unadmitted_mutex_;  ///< guards the next two between those who read at a time
    mutable std::vector<Unadmitted> unadmitted_;
    mutable std::size_t unadmitted_bytes_ = 0;
    Position position_;
    Position frozen_position_;         ///< of the newest generation that was frozen
    std::uint64_t applied_bytes_ = 0;  ///< since this was opened
    std::deque<Mark> marks_;           ///< what was applied when a generation was frozen, from what is stored on
    std::unique_ptr<FormerRows> former_;
    HotFeeder feeder_;  ///< last: it ends first
};

// -- reading ---------------------------------------------------------------------------------------------------------------

Result<std::size_t> HotStore::read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const {
    std::size_t done = 0, bytes = 0;
    while (done < keys.size() && (bytes < bytes_max || done == 0)) {
        const auto batch = keys.subspan(done, std::min(HotSet::kBatchMax, keys.size() - done));
        auto answered = read_batch(batch, bytes_max, done, visit, bytes);
        if (!answered) return answered;
        done += *answered;
    }
    return done;
}

/// How many of `keys` were visited, as numbers `first` on; at least one. `bytes` counts all values so far.
Result<std::size_t> HotStore::read_batch(std::span<const std::string_view> keys, std::size_t bytes_max, std::size_t first,
                                         const Visit& visit, std::size_t& bytes) const {
    std::array<HotEntry*, HotSet::kBatchMax> found;
    hot_.find(keys, found);
    std::array<bool, HotSet::kBatchMax> is_cold{};
    std::vector<std::string_view> unknown;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        is_cold[i] = found[i] == nullptr && !hot_.is_erased(keys[i]);
        if (is_cold[i]) unknown.push_back(keys[i]);
    }
    std::vector<std::optional<std::string>> cold;
    if (!unknown.empty()) {
        if (auto status = feeder_.check(); !status) return fail(std::move(status.error()));
        auto values = cold_->get_many(unknown, bytes_max == kNoBound ? kNoBound : bytes_max - std::min(bytes, bytes_max));
        if (!values) return fail(std::move(values.error()));
        cold = std::move(*values);
    }

    std::size_t visited = 0, from_cold = 0;
    for (; visited < keys.size() && (bytes < bytes_max || first + visited == 0); ++visited) {
        std::optional<std::string_view> value;
        if (const HotEntry* entry = found[visited]; entry != nullptr) {
            if (entry->exists()) value = entry->value();
        } else if (is_cold[visited]) {
            if (from_cold == cold.size()) break;  // it stopped at its limit
            value = cold[from_cold++];
        }
        if (value) bytes += value->size();
        visit(first + visited, value);
    }
    for (std::size_t i = 0; i < from_cold; ++i) keep(unknown[i], cold[i]);
    misses_.add(from_cold);
    hits_.add(visited - from_cold);
    return visited;
}

void HotStore::keep(std::string_view key, std::optional<std::string>& value) const {
    if (!reads_are_shared_) return hot_.admit(key, value);
    const std::size_t bytes = HotEntry::memory_for(key.size(), value ? value->size() : 0);
    if (!hot_.admits(bytes)) return;
    const std::lock_guard lock(unadmitted_mutex_);
    if (unadmitted_bytes_ + bytes > kUnadmittedBytesMax) return;
    unadmitted_bytes_ += bytes;
    unadmitted_.push_back({std::string(key), std::move(value)});
}

/// Nothing is applied while reads are shared: what was read then is still as the cold tier has it when that ends.
void HotStore::share_reads(bool on) {
    ENSURE(on != reads_are_shared_);
    reads_are_shared_ = on;
    for (const Unadmitted& row : unadmitted_) hot_.admit(row.key, row.value);
    unadmitted_.clear();
    unadmitted_bytes_ = 0;
}

/// In the order of the keys, so that neighbours meet the same blocks of the cold tier, each of which is then unpacked once; and on as many
/// threads as there are cores.
void HotStore::warm(std::span<const std::string_view> keys, std::chrono::milliseconds time_max) const {
    constexpr std::size_t kKeysMin = 256, kThreadsMax = 8,
                          kKeysAtOnce = 128;  // keys: to begin a thread for, and between looks at the clock
    std::vector<std::string_view> unknown = unknown_of(keys);
    if (unknown.size() < kKeysMin || !feeder_.check()) return;
    const std::size_t parts =
        std::clamp<std::size_t>(std::min<std::size_t>(std::thread::hardware_concurrency(), unknown.size() / kKeysMin), 1, kThreadsMax);
    const auto at = [&](std::size_t part) { return unknown.begin() + static_cast<std::ptrdiff_t>(unknown.size() * part / parts); };
    for (std::size_t part = 1; part < parts; ++part) std::nth_element(at(part - 1), at(part), unknown.end());

    const auto until = std::chrono::steady_clock::now() + time_max;
    std::mutex admission;  // guards hot_ between these threads
    const auto read_part = [&](std::size_t part) {
        std::sort(at(part), at(part + 1));
        std::span<const std::string_view> rest(at(part), std::unique(at(part), at(part + 1)));
        for (std::size_t left = hot_.memory_max() / kWarmShare / parts; !rest.empty() && left > 0;) {
            if (std::chrono::steady_clock::now() >= until) return;
            const auto values = cold_->get_many(rest.first(std::min(kKeysAtOnce, rest.size())), left);
            if (!values) return;
            const std::lock_guard lock(admission);
            for (std::size_t i = 0; i < values->size(); ++i) {
                hot_.admit(rest[i], (*values)[i]);
                left -= std::min(left, HotEntry::memory_for(rest[i].size(), (*values)[i] ? (*values)[i]->size() : 0));
            }
            misses_.add(values->size());
            rest = rest.subspan(values->size());
        }
    };
    std::vector<std::jthread> others;
    for (std::size_t part = 1; part < parts; ++part) others.emplace_back(read_part, part);
    read_part(0);
}

void HotStore::take_former(const std::string& directory) {
    constexpr std::size_t kNotesPerLook = 1024;
    const auto until = std::chrono::steady_clock::now() + kFormerTimeMax;
    std::size_t left = hot_.memory_max() / kWarmShare, notes = 0;
    visit_former(directory, position_.applied, [&](std::string_view key, std::optional<std::string_view> row) {
        hot_.admit(key, row);
        left -= std::min(left, HotEntry::memory_for(key.size(), row ? row->size() : 0));
        return left > 0 && (++notes % kNotesPerLook != 0 || std::chrono::steady_clock::now() < until);
    });
}

std::vector<std::string_view> HotStore::unknown_of(std::span<const std::string_view> keys) const {
    std::vector<std::string_view> unknown;
    std::array<HotEntry*, HotSet::kBatchMax> found;
    for (std::size_t first = 0; first < keys.size(); first += HotSet::kBatchMax) {
        const auto batch = keys.subspan(first, std::min(HotSet::kBatchMax, keys.size() - first));
        hot_.find(batch, found);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (found[i] == nullptr && !hot_.is_erased(batch[i])) unknown.push_back(batch[i]);
        }
    }
    return unknown;
}

Result<ScanRows> HotStore::scan(const ScanRequest& request) const {
    ENSURE(!reads_are_shared_);
    if (auto status = feeder_.check(); !status) return fail(std::move(status.error()));
    return merged_scan(*cold_, hot_.in_order(request.begin, request.end), hot_.generations(), request);
}

Result<std::uint64_t> HotStore::digest() {
    if (auto status = drain(); !status) return fail(std::move(status.error()));
    return cold_->digest();
}

Store::Cache HotStore::cache() const {
    return {.entries = hot_.size(),
            .bytes = hot_.memory(),
            .bytes_max = hot_.memory_max(),
            .pinned_bytes = pinned_bytes(),
            .hits = hits_.value(),
            .misses = misses_.value(),
            .evictions = hot_.evictions()};
}

/// In generations that have not arrived in the cold tier.
std::size_t HotStore::pinned_bytes() const {
    std::size_t bytes = 0;
    for (const auto& generation : hot_.generations()) bytes += generation->memory;
    return bytes;
}

// -- writing ---------------------------------------------------------------------------------------------------------------

Status HotStore::apply(std::span<const Change> changes, const Position& position) {
    ENSURE(!reads_are_shared_ && position.applied.lsn > position_.applied.lsn);
    if (auto status = feeder_.check(); !status) return status;
    constexpr std::size_t kBytesPerWrite = 32, kBytesPerChange = 16;  // what it takes in a log, about
    applied_bytes_ += kBytesPerWrite;
    for (const Change& change : changes) {
        ENSURE(change.is_valid());
        applied_bytes_ += kBytesPerChange + change.key.size() + (change.value ? change.value->size() : 0);
    }
    hot_.apply(changes);
    position_ = position;
    // Twice as fast as they can come, so that what has arrived is soon no longer pinned, and no write pays for many.
    hot_.retire(feeder_.arrived(), 2 * changes.size() + 16);
    if (former_ != nullptr) former_->forget_through(stored());
    if (hot_.generations().back()->memory < gathered_max()) return {};
    freeze();
    return {};
}

void HotStore::freeze() {
    feeder_.feed(hot_.freeze(position_));
    frozen_position_ = position_;
    while (!marks_.empty() && marks_.front().lsn < stored()) marks_.pop_front();
    marks_.push_back({position_.applied.lsn, applied_bytes_});
}

/// Judged by what is on its way alone: the newest generation, however large, leaves only when more is applied. A failure is no reason
/// to wait: apply() tells it.
bool HotStore::has_room() const {
    const std::uint64_t arrived = feeder_.arrived(), newest = hot_.generations().back()->number;
    std::size_t waiting = 0;
    for (const auto& generation : hot_.generations()) {
        if (generation->number > arrived && generation->number != newest) waiting += generation->memory;
    }
    return waiting <= hot_.memory_max() / 2 || !feeder_.check();
}

std::uint64_t HotStore::stored_bytes() const {
    const Lsn stored = this->stored();
    std::uint64_t bytes = 0;
    for (const Mark& mark : marks_) {
        if (mark.lsn <= stored) bytes = mark.applied_bytes;
    }
    return bytes;
}

std::uint64_t HotStore::unstored_bytes() const { return stored() == position_.applied.lsn ? 0 : applied_bytes_ - stored_bytes(); }

Status HotStore::flush() {
    if (auto status = feeder_.check(); !status) return status;
    if (stored() == position_.applied.lsn) return {};
    if (frozen_position_ != position_) freeze();
    feeder_.flush();
    return {};
}

Status HotStore::drain() {
    if (frozen_position_ != position_) freeze();
    if (auto status = feeder_.await_idle(); !status) return status;
    hot_.retire(feeder_.arrived(), kNoBound);
    return {};
}

// -- checkpoints -----------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Checkpoint>> HotStore::checkpoint() {
    if (auto status = drain(); !status) return fail(std::move(status.error()));
    return cold_->checkpoint();
}

/// Takes a checkpoint into the cold tier, which is brought up to date before: so a failed install leaves both as they were.
class HotReceiver final : public CheckpointReceiver {
public:
    HotReceiver(HotStore& store, std::unique_ptr<CheckpointReceiver> cold) : store_(store), cold_(std::move(cold)) {}

    Status write(std::string_view name, Bytes bytes) override { return cold_->write(name, bytes); }
    Status verify(const Position& position) override { return cold_->verify(position); }
    Status install(const Position& position) override {
        if (auto status = store_.drain(); !status) return status;
        if (auto status = cold_->install(position); !status) return status;
        store_.start_over(position);
        return {};
    }

private:
    HotStore& store_;
    std::unique_ptr<CheckpointReceiver> cold_;
};

Result<std::unique_ptr<CheckpointReceiver>> HotStore::receive() {
    if (auto status = feeder_.check(); !status) return fail(std::move(status.error()));
    auto cold = cold_->receive();
    if (!cold) return cold;
    return std::make_unique<HotReceiver>(*this, std::move(*cold));
}

void HotStore::start_over(const Position& position) {
    hot_.clear();
    position_ = frozen_position_ = position;
    marks_.clear();
    applied_bytes_ = 0;
    if (former_ != nullptr) former_->start_over(position.applied);
}

}  // namespace

std::unique_ptr<Store> open_hot_store(std::unique_ptr<Store> cold, const HotStoreOptions& options) {
    return std::make_unique<HotStore>(std::move(cold), options);
}

}  // namespace tanist::store
