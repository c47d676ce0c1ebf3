// SPDX-License-Identifier: Apache-2.0
// What can befall a node.
#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.h"
#include "sim/sim_node.h"
#include "wal/record.h"
#include "wal/segment_name.h"
#include "wal/slot.h"

namespace tanist::sim {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

}  // namespace

void SimNode::kill() {
    if (!process_) return;
    world_.note("node {} is killed", self_.node.value);
    disk_->kill();
    end(HostState::kNoProcess);
}

void SimNode::cut_power() {
    if (!process_) return;
    world_.note("node {} loses power", self_.node.value);
    disk_->crash(random_);
    end(HostState::kDark);
}

void SimNode::wipe() {
    cut_power();
    world_.note("node {} loses its disk", self_.node.value);
    disk_ = std::make_unique<wal::MemoryFileSystem>();
    image_ = std::make_shared<store::DurableImage>();
    rotten_row_ = {};
    outcast_ = true;
    checker_.on_wiped(self_.node);
}

std::vector<std::string> SimNode::segments() {
    const std::string directory = std::string(kDataDirectory) + "/wal";
    std::vector<std::string> paths;
    if (const auto names = disk_->list(directory)) {
        for (const std::string& name : *names) {
            if (name.ends_with(wal::kSegmentSuffix)) paths.push_back(directory + "/" + name);
        }
    }
    return paths;
}

std::string SimNode::content_of(const std::string& path) {
    const auto file = disk_->open(path, wal::OpenMode::kRead);
    ENSURE(file.has_value());
    std::string content(*(*file)->size(), '\0');
    ENSURE((*file)->read_at(0, std::as_writable_bytes(std::span(content))).has_value());
    return content;
}

void SimNode::damage() {
    const auto paths = segments();
    if (paths.empty()) return;
    const std::string path = random_.chance(2, 3) ? paths.back() : paths[random_.below(paths.size())];
    const std::uint64_t end = content_of(path).find_last_not_of('\0') + 1;  // behind the last record there are zeros
    if (end <= wal::kRecordsOffset) return;
    const std::uint64_t at = random_.between(wal::kRecordsOffset, end - 1);
    damaged_ = true;
    checker_.on_damaged(self_.node);
    switch (random_.below(5)) {
        case 0:
            world_.note("node {}: a bit of {} rots at {} of {}", self_.node.value, path, at, end);
            return disk_->corrupt(path, at, static_cast<std::uint8_t>(1 << random_.below(8)));
        case 1:
            world_.note("node {}: the end of {} is zeroed from {} of {}", self_.node.value, path, at, end);
            return disk_->zero(path, at, end - at);
        case 2: {
            const std::uint64_t slots = random_.between(1, 3);  // the first, the second, both
            world_.note("node {}: slots {} of {} are zeroed", self_.node.value, slots, path);
            return disk_->zero(path, slots == 2 ? wal::kSlotStride : 0, slots == 3 ? 2 * wal::kSlotStride : wal::kSlotStride);
        }
        case 3:
            world_.note("node {}: {} cannot be read at {} of {}", self_.node.value, path, at, end);
            return disk_->make_unreadable(path, at, random_.between(1, 4096));
        default: world_.note("node {}: {} is lost", self_.node.value, path); return disk_->lose(path);
    }
}

void SimNode::wreck_log() {
    const auto paths = segments();
    if (paths.empty()) return;
    damaged_ = true;
    checker_.on_damaged(self_.node);
    if (random_.chance(1, 3)) {
        world_.note("node {}: {} has no mark any more", self_.node.value, paths.back());
        return disk_->zero(paths.back(), 0, 2 * wal::kSlotStride);
    }
    const std::size_t lost = random_.chance(1, 2) ? paths.size() : 1 + random_.below(paths.size());
    world_.note("node {}: the newest {} of {} segments are lost", self_.node.value, lost, paths.size());
    for (std::size_t i = paths.size() - lost; i < paths.size(); ++i) disk_->lose(paths[i]);
}

void SimNode::rot_entry(Lsn lsn) {
    for (const std::string& path : segments()) {
        const auto name = wal::parse_file_name(path.substr(path.rfind('/') + 1));
        const auto file = disk_->open(path, wal::OpenMode::kRead);
        ENSURE(name.has_value() && file.has_value());
        wal::RecordReader reader(**file, wal::checksum_seed(*name), wal::kRecordsOffset, *(*file)->size(), 1 << 16);
        while (reader.look_at_headers() == wal::Seen::kRecord && reader.id().lsn < lsn) reader.advance();
        if (reader.look_at_headers() != wal::Seen::kRecord || reader.id().lsn != lsn) continue;
        damaged_ = true;
        checker_.on_damaged(self_.node);
        rotten_entry_ = lsn;
        world_.note("node {}: a bit of lsn={} rots in {}", self_.node.value, lsn.value, path);
        disk_->corrupt(path, reader.offset(), 1);
    }
}

void SimNode::forget_tail(Forgotten what) {
    const auto paths = segments();
    if (paths.empty()) return;
    const std::string& path = paths.back();
    if (what == Forgotten::kNewestSegment && paths.size() > 1) {
        damaged_ = true;
        checker_.on_damaged(self_.node);
        world_.note("node {}: the newest segment {} is lost", self_.node.value, path);
        return disk_->lose(path);
    }
    const std::uint64_t end = content_of(path).find_last_not_of('\0') + 1;
    if (end <= wal::kRecordsOffset) return;
    const std::uint64_t bytes = end - wal::kRecordsOffset;
    std::uint64_t at = random_.between(random_.chance(1, 4) ? wal::kRecordsOffset : end - (bytes + 3) / 4, end - 1);
    if (what == Forgotten::kSlotAndRecords) at = end;
    damaged_ = true;
    checker_.on_damaged(self_.node);
    if (what >= Forgotten::kHead) {  // one region, with one of the two slots in it
        world_.note("node {}: {} is zeroed from its second slot to {} of {}", self_.node.value, path, at, end);
        return disk_->zero(path, wal::kSlotStride, at - wal::kSlotStride);
    }
    const bool is_cut = random_.chance(1, 2);
    world_.note("node {}: the fsynced end of {} is {} from {} of {}", self_.node.value, path, is_cut ? "cut off" : "zeroed", at, end);
    is_cut ? disk_->cut_short(path, at) : disk_->zero(path, at, end - at);
}

void SimNode::rot_votes(std::uint32_t variant) {
    constexpr std::array<std::array<const char*, 2>, 4> kVictims = {
        {{"vote.a", ""}, {"vote.b", ""}, {"vote.a", "vote.b"}, {"identity", ""}}};
    for (const char* name : kVictims[variant % kVictims.size()]) {
        const std::string path = fmt::format("{}/{}", kDataDirectory, name);
        if (*name == '\0' || !disk_->exists(path).value()) continue;
        const std::size_t bytes = content_of(path).size();
        if (bytes == 0) continue;
        const std::uint64_t at = random_.below(bytes);
        world_.note("node {}: a bit of {} rots at {} of {}", self_.node.value, path, at, bytes);
        damaged_ = true;
        disk_->corrupt(path, at, static_cast<std::uint8_t>(1 << random_.below(8)));
    }
}

void SimNode::lose_state() {
    if (self_.role == core::ConfiguredRole::kWitness) return;
    world_.note("node {}: its state store cannot be read, and is given up", self_.node.value);
    image_ = std::make_shared<store::DurableImage>();
    rotten_row_ = {};
}

void SimNode::rot_state() {
    const auto rows = store::open_memory_store(image_)->scan({.begin = "a", .rows_max = store::kNoBound, .bytes_max = store::kNoBound});
    ENSURE(rows.has_value());
    if (self_.role == core::ConfiguredRole::kWitness || rows->rows.empty()) return;
    rotten_row_ = {.key = rows->rows[random_.below(rows->rows.size())].first};
    world_.note("node {}: a row of its state store rots", self_.node.value);
}

void SimNode::cut_log_by_hand() {
    world_.note("node {}: its log is cut by hand where it is corrupt", self_.node.value);
    given_up_ = false;
    cuts_by_hand_ = true;
    start();
}

void SimNode::rot_checkpoints(bool rot) {
    rots_checkpoints_ = rot;
    if (process_) process_->store->rot_checkpoints(rot);
}

void SimNode::lose_write(std::uint64_t writes, std::uint32_t variant) {
    writes_until_lost_ = writes;
    lost_variant_ = variant;
}

/// One record or slot, never both of a group: of a slot that is lost, the records stay what they are, and it lands on no record of its
/// own group.
std::optional<wal::MemoryFileSystem::Landing> SimNode::misplace(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
    const bool concerns_log = path.ends_with(wal::kSegmentSuffix) || path.ends_with(wal::kDraftSuffix);
    if (!writes_until_lost_ || !concerns_log || (*writes_until_lost_)-- > 0) return std::nullopt;
    writes_until_lost_.reset();
    damaged_ = deceived_ = true;
    checker_.on_deceived(self_.node);
    const bool is_slot = offset < wal::kRecordsOffset;
    wal::MemoryFileSystem::Landing landing;
    const auto older = segments();
    switch (lost_variant_ % 4) {
        case 0:
            if (is_slot) {
                landing = {path, offset == 0 ? wal::kSlotStride : 0, bytes};
            } else if (offset > wal::kRecordsOffset + kSectorBytes) {
                const std::uint64_t sectors_back = 1 + random_.below((offset - wal::kRecordsOffset) / kSectorBytes);
                landing = {path, offset - sectors_back * kSectorBytes, bytes};
            }
            break;
        case 1:
            if (!is_slot) landing = {path, random_.chance(1, 2) ? 0 : wal::kSlotStride, std::min(bytes, kSectorBytes)};
            break;
        case 2:
            if (older.size() > 1 && older.front() != path)
                landing = {older.front(), wal::kRecordsOffset + kSectorBytes * random_.below(8) + offset % kSectorBytes, bytes};
            break;
        default: break;
    }
    landing.cached = path.ends_with(wal::kDraftSuffix) || lost_variant_ / 4 % 2 == 0;
    world_.note("node {}: a write of {} bytes at {} of {} is lost{}{}", self_.node.value, bytes, offset, path,
                landing.path.empty() ? std::string(landing.cached ? ", unseen" : "") : fmt::format(", and lands at {} of ", landing.offset),
                landing.path);
    return landing;
}

void SimNode::fill_disk(std::uint64_t bytes_left, bool may_end) {
    disk_->set_capacity(wal::MemoryFileSystem::kCapacity);
    const std::uint64_t used = wal::MemoryFileSystem::kCapacity - disk_->bytes_free(kDataDirectory).value();
    disk_->set_capacity(used + bytes_left);
    may_lack_room_ = may_end;
    room_ = bytes_left / 2;
}

void SimNode::empty_disk() {
    disk_->set_capacity(wal::MemoryFileSystem::kCapacity);
    may_lack_room_ = false;
    room_.reset();
}

void SimNode::use_room(std::span<const Entry> entries) {
    if (!room_) return;
    for (const Entry& entry : entries) *room_ -= std::min<std::uint64_t>(*room_, entry.size());
    if (*room_ == 0) may_lack_room_ = true;
}

void SimNode::slow_work(Duration each) { work_takes_ = each; }

void SimNode::plan_disk_fault(bool power_cut, std::uint64_t operations, std::optional<wal::DiskOperation> aimed_at) {
    planned_ = power_cut ? DiskFault::kPowerCut : DiskFault::kError;
    operations_left_ = operations;
    aimed_at_ = aimed_at;
}

Status SimNode::before_disk_operation(wal::DiskOperation operation) {
    const auto is_now = [&] { return aimed_at_ ? operation == *aimed_at_ : operations_left_-- == 0; };
    if (!met_ && planned_ && is_now()) met_ = planned_;
    if (!met_) return {};
    if (met_ == DiskFault::kError) return tanist::fail(ErrorCode::kIo, "injected error at a {}", wal::to_string(operation));
    return tanist::fail(ErrorCode::kIo, "the power is gone");
}

void SimNode::shut_down() {
    if (process_) run([this] { step(core::ShutdownRequested{}); });
}

void SimNode::switch_over(std::optional<NodeId> target) {
    if (process_) run([this, target] { step(core::SwitchoverRequested{++switchovers_, target}); });
}

void SimNode::pause() {
    if (process_) paused_ = true;
}

void SimNode::resume() {
    if (!paused_) return;
    paused_ = false;
    std::deque<Work> inbox = std::exchange(process_->inbox, {});
    // Either its clock or its sockets are looked at first.
    if (random_.chance(1, 2)) later(0us, [this] { make_up_for_ticks(); });
    for (Work& work : inbox) later(0us, std::move(work));
}

void SimNode::calm() {
    planned_.reset();
    writes_until_lost_.reset();
    if (!rotten_row_.was_met) rotten_row_ = {};
    rot_checkpoints(false);
    empty_disk();
    slow_work(0us);
    disk_slowness_ = 1;
    disk_stalls_until_ = Instant(0);
}

Duration SimNode::sync_time() {
    const auto low = static_cast<std::uint64_t>(plan_.disk.sync_min.count()),
               high = static_cast<std::uint64_t>(plan_.disk.sync_max.count());
    const Duration drawn(static_cast<Duration::rep>(low + std::min(random_.below(high - low + 1), random_.below(high - low + 1))));
    const Duration stalled = std::max(Duration(0), disk_stalls_until_ - world_.now());
    return drawn * disk_slowness_ + stalled;
}

}  // namespace tanist::sim
