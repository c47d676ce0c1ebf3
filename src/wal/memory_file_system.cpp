// SPDX-License-Identifier: Apache-2.0
#include "wal/memory_file_system.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "wal/path.h"

namespace tanist::wal {
namespace {

std::string plain(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    while (path.starts_with("./")) path.erase(0, 2);
    return path;
}

bool is_root(const std::string& path) { return path == "." || path == "/"; }

}  // namespace

std::string_view to_string(DiskOperation operation) {
    switch (operation) {
        case DiskOperation::kWrite: return "write";
        case DiskOperation::kSync: return "sync";
        case DiskOperation::kTruncate: return "truncate";
        case DiskOperation::kCreate: return "create";
        case DiskOperation::kRename: return "rename";
        case DiskOperation::kRemove: return "remove";
        case DiskOperation::kMakeDirectory: return "make directory";
        case DiskOperation::kSyncDirectory: return "sync directory";
    }
    return "unknown operation";
}

/// An open file. It dies with the generation that it was opened in.
class MemoryFileSystem::Handle final : public File {
public:
    Handle(MemoryFileSystem& disk, std::string path, std::shared_ptr<Inode> inode, std::uint64_t generation)
        : disk_(disk), path_(std::move(path)), inode_(std::move(inode)), generation_(generation) {}

    Status write_at(std::uint64_t offset, Bytes bytes) override {
        const Bytes one[] = {bytes};
        return write_parts_at(offset, one);
    }
    Status write_parts_at(std::uint64_t offset, std::span<const Bytes> parts) override {
        if (auto status = disk_.begin(DiskOperation::kWrite, path_); !status) return status;
        if (disk_.lied(*inode_, path_, offset, parts)) return {};
        const std::lock_guard lock(disk_.mutex_);
        if (auto status = alive(); !status) return status;
        for (const Bytes part : parts) {
            if (auto status = disk_.write(*inode_, path_, offset, part); !status) return status;
            offset += part.size();
        }
        return {};
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
        const std::lock_guard lock(disk_.mutex_);
        if (auto status = alive(); !status) return fail(status.error());
        return disk_.read(*inode_, path_, offset, into);
    }
    Status sync_data() override {
        if (auto status = disk_.begin(DiskOperation::kSync, path_, inode_.get()); !status) return status;
        const std::lock_guard lock(disk_.mutex_);
        if (auto status = alive(); !status) return status;
        disk_.sync(*inode_);
        return {};
    }
    Result<std::uint64_t> size() const override {
        const std::lock_guard lock(disk_.mutex_);
        if (auto status = alive(); !status) return fail(status.error());
        return inode_->sizes.back();
    }
    Status truncate(std::uint64_t size) override {
        if (auto status = disk_.begin(DiskOperation::kTruncate, path_); !status) return status;
        const std::lock_guard lock(disk_.mutex_);
        if (auto status = alive(); !status) return status;
        disk_.set_size(*inode_, size);
        return {};
    }

private:
    Status alive() const {
        if (generation_ != disk_.generation_) return fail(ErrorCode::kIo, "{}: opened before the crash", path_);
        return {};
    }

    MemoryFileSystem& disk_;
    std::string path_;
    std::shared_ptr<Inode> inode_;
    std::uint64_t generation_;
};

MemoryFileSystem::MemoryFileSystem() = default;
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& given, OpenMode mode) {
    const std::string path = plain(given);
    if (mode == OpenMode::kCreate && !exists(path).value()) {
        if (const std::string parent = directory_of(path); !is_root(parent) && !exists(parent).value()) {
            return fail(ErrorCode::kNotFound, "open {}: no such directory", path);
        }
        if (auto status = begin(DiskOperation::kCreate, path); !status) return fail(status.error());
        const std::lock_guard lock(mutex_);
        change({.kind = DiskOperation::kCreate, .from = {}, .to = path, .inode = std::make_shared<Inode>()});
    }
    const std::lock_guard lock(mutex_);
    const auto found = now_.find(path);
    if (found == now_.end()) return fail(ErrorCode::kNotFound, "open {}: no such file", path);
    if (!found->second) return fail(ErrorCode::kIo, "open {}: is a directory", path);
    return std::make_unique<Handle>(*this, path, found->second, generation_);
}

Status MemoryFileSystem::rename(const std::string& given_from, const std::string& given_to) {
    const std::string from = plain(given_from), to = plain(given_to);
    if (auto status = begin(DiskOperation::kRename, from); !status) return status;
    const std::lock_guard lock(mutex_);
    const auto found = now_.find(from);
    if (found == now_.end() || !found->second) return fail(ErrorCode::kNotFound, "rename {} to {}: no such file", from, to);
    change({.kind = DiskOperation::kRename, .from = from, .to = to, .inode = found->second});
    return {};
}

Status MemoryFileSystem::remove(const std::string& given) {
    const std::string path = plain(given);
    if (!exists(path).value()) return {};
    if (auto status = begin(DiskOperation::kRemove, path); !status) return status;
    const std::lock_guard lock(mutex_);
    change({.kind = DiskOperation::kRemove, .from = path, .to = {}, .inode = nullptr});
    return {};
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& given) {
    const std::string directory = plain(given);
    const std::lock_guard lock(mutex_);
    if (!is_root(directory) && !now_.contains(directory)) return fail(ErrorCode::kNotFound, "list {}: no such directory", directory);
    std::vector<std::string> names;
    for (const auto& [path, inode] : now_) {
        if (directory_of(path) == directory) names.push_back(path.substr(path.rfind('/') + 1));
    }
    return names;  // the tree is sorted
}

Status MemoryFileSystem::make_directory(const std::string& given) {
    const std::string directory = plain(given);
    if (is_root(directory) || exists(directory).value()) return {};
    if (auto status = make_directory(directory_of(directory)); !status) return status;
    if (auto status = begin(DiskOperation::kMakeDirectory, directory); !status) return status;
    const std::lock_guard lock(mutex_);
    change({.kind = DiskOperation::kMakeDirectory, .from = {}, .to = directory, .inode = nullptr});
    return {};
}

Status MemoryFileSystem::sync_directory(const std::string& given) {
    const std::string directory = plain(given);
    if (auto status = begin(DiskOperation::kSyncDirectory, directory); !status) return status;
    const std::lock_guard lock(mutex_);
    if (!is_root(directory) && !now_.contains(directory)) return fail(ErrorCode::kNotFound, "sync {}: no such directory", directory);
    std::erase_if(unsynced_, [&](const Change& change) {
        const bool concerned = (!change.from.empty() && directory_of(change.from) == directory) ||
                               (!change.to.empty() && directory_of(change.to) == directory);
        if (concerned) apply(change, durable_);
        return concerned;
    });
    return {};
}

Result<bool> MemoryFileSystem::exists(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return now_.contains(plain(path));
}

Result<std::uint64_t> MemoryFileSystem::bytes_free(const std::string&) {
    const std::lock_guard lock(mutex_);
    return capacity_ - std::min(capacity_, used_);
}

Status MemoryFileSystem::begin(DiskOperation operation, const std::string& path, Inode* inode) {
    Hook hook;
    {
        const std::lock_guard lock(mutex_);
        ++operations_;
        ++counts_[static_cast<std::size_t>(operation)];
        if (fail_from_ != 0 && operations_ >= fail_from_)
            return fail(ErrorCode::kIo, "{} {}: the power is gone", to_string(operation), path);
        hook = hook_;
    }
    if (!hook) return {};
    auto status = hook(operation, path);
    if (!status && operation == DiskOperation::kSync && inode != nullptr) {
        const std::lock_guard lock(mutex_);
        inode->unsynced.clear();  // the cache calls them clean now; the disk never saw them
    }
    return status;
}

Status MemoryFileSystem::write(Inode& inode, const std::string& path, std::uint64_t offset, Bytes bytes) {
    const std::uint64_t end = offset + bytes.size();
    while (!bytes.empty()) {
        const std::uint64_t index = offset / kSectorBytes;
        const std::size_t within = offset % kSectorBytes;
        const std::size_t size = std::min(bytes.size(), kSectorBytes - within);
        Sector sector = present(inode, index);
        const bool was_missing = !inode.sectors.contains(index);
        std::ranges::copy(bytes.first(size), sector.begin() + static_cast<std::ptrdiff_t>(within));
        if (!was_missing || sector != Sector{}) {
            if (was_missing && used_ + kSectorBytes > capacity_) return fail(ErrorCode::kIo, "write {}: no space left on device", path);
            auto& versions = inode.sectors[index];
            if (was_missing) {
                used_ += kSectorBytes;
                versions.push_back(Sector{});
            }
            versions.push_back(sector);
            inode.unsynced.insert(index);
        }
        inode.unreadable.erase(index);
        offset += size;
        bytes = bytes.subspan(size);
    }
    if (end > inode.sizes.back()) inode.sizes.push_back(end);
    return {};
}

bool MemoryFileSystem::lied(Inode& inode, const std::string& path, std::uint64_t offset, std::span<const Bytes> parts) {
    Liar liar;
    {
        const std::lock_guard lock(mutex_);
        liar = liar_;
    }
    if (!liar) return false;
    std::vector<std::byte> content;
    for (const Bytes part : parts) content.insert(content.end(), part.begin(), part.end());
    const auto landing = liar(path, offset, content.size());
    if (!landing) return false;
    const std::lock_guard lock(mutex_);
    if (landing->cached) {
        if (!write(inode, path, offset, content)) return false;  // a full disk says so
        const auto first = inode.unsynced.lower_bound(offset / kSectorBytes);
        inode.unsynced.erase(first, inode.unsynced.upper_bound((offset + content.size() - 1) / kSectorBytes));
    } else if (offset + content.size() > inode.sizes.back()) {
        inode.sizes.push_back(offset + content.size());  // the size is of the file system
    }
    if (landing->path.empty()) return true;
    const Bytes landed = Bytes(content).first(std::min<std::uint64_t>(landing->bytes, content.size()));
    Inode& target = landing->path == path ? inode : inode_of(landing->path);  // an open file may have been renamed
    const Status written = write(target, landing->path, landing->offset, landed);
    ENSURE(written.has_value());
    return true;
}

Result<std::size_t> MemoryFileSystem::read(const Inode& inode, const std::string& path, std::uint64_t offset,
                                           std::span<std::byte> into) const {
    if (offset >= inode.sizes.back()) return 0;
    into = into.first(std::min<std::uint64_t>(into.size(), inode.sizes.back() - offset));
    for (std::size_t done = 0; done < into.size();) {
        const std::uint64_t index = (offset + done) / kSectorBytes;
        const std::size_t within = (offset + done) % kSectorBytes;
        const std::size_t size = std::min(into.size() - done, kSectorBytes - within);
        if (inode.unreadable.contains(index)) return fail(ErrorCode::kIo, "read {}: sector {} is unreadable", path, index);
        const auto found = inode.sectors.find(index);
        const auto target = into.subspan(done, size);
        if (found == inode.sectors.end()) {
            std::ranges::fill(target, std::byte{0});
        } else {
            std::copy_n(found->second.back().begin() + static_cast<std::ptrdiff_t>(within), size, target.begin());
        }
        done += size;
    }
    return into.size();
}

void MemoryFileSystem::sync(Inode& inode) {
    for (const std::uint64_t index : inode.unsynced) {
        auto& versions = inode.sectors[index];
        versions.erase(versions.begin(), versions.end() - 1);
        forget(inode, index);
    }
    inode.unsynced.clear();
    inode.sizes = {inode.sizes.back()};
}

void MemoryFileSystem::set_size(Inode& inode, std::uint64_t size) {
    if (size < inode.sizes.back()) {  // what was cut off reads as zero when the file grows again
        for (auto& [index, versions] : inode.sectors) {
            const std::uint64_t start = index * kSectorBytes;
            if (start + kSectorBytes <= size) continue;
            Sector sector = versions.back();
            std::fill(sector.begin() + static_cast<std::ptrdiff_t>(size > start ? size - start : 0), sector.end(), std::byte{0});
            versions.push_back(sector);
            inode.unsynced.insert(index);
        }
    }
    inode.sizes.push_back(size);
}

void MemoryFileSystem::crash(Random& random) {
    const std::lock_guard lock(mutex_);
    const bool journal = random.chance(1, 2);
    const std::size_t prefix = random.below(unsynced_.size() + 1);
    for (std::size_t i = 0; i < unsynced_.size(); ++i) {
        if (journal ? i < prefix : random.chance(1, 2)) apply(unsynced_[i], durable_);
    }
    unsynced_.clear();
    // What lies in a directory that did not survive is gone with it. Parents sort before their children.
    std::erase_if(durable_, [&](const auto& item) {
        const std::string parent = directory_of(item.first);
        return !is_root(parent) && !durable_.contains(parent);
    });
    now_ = durable_;
    used_ = 0;
    for (const auto& [path, inode] : now_) {
        if (!inode) continue;
        crash(*inode, random);
        used_ += inode->sectors.size() * kSectorBytes;
    }
    ++generation_;
    fail_from_ = 0;
}

void MemoryFileSystem::crash(Inode& inode, Random& random) {
    enum class Fate { kNoneKept, kAllKept, kEachItsOwn };
    const std::uint64_t draw = random.below(4);
    const Fate fate = draw == 0 ? Fate::kNoneKept : draw == 1 ? Fate::kAllKept : Fate::kEachItsOwn;
    const auto survivor = [&](std::size_t versions) {
        return fate == Fate::kNoneKept ? 0 : fate == Fate::kAllKept ? versions - 1 : random.below(versions);
    };
    inode.sizes = {inode.sizes[survivor(inode.sizes.size())]};
    for (const std::uint64_t index : inode.unsynced) {
        auto& versions = inode.sectors[index];
        versions = {versions[survivor(versions.size())]};
    }
    inode.unsynced.clear();
    std::vector<std::uint64_t> indexes;
    for (auto& [index, versions] : inode.sectors) {
        versions.resize(1);  // what only the cache held, after a sync that failed
        const std::uint64_t start = index * kSectorBytes;
        if (start + kSectorBytes > inode.sizes[0]) {
            const std::uint64_t kept = inode.sizes[0] > start ? inode.sizes[0] - start : 0;
            std::fill(versions[0].begin() + static_cast<std::ptrdiff_t>(kept), versions[0].end(), std::byte{0});
        }
        indexes.push_back(index);
    }
    for (const std::uint64_t index : indexes) forget(inode, index);
}

void MemoryFileSystem::kill() {
    const std::lock_guard lock(mutex_);
    ++generation_;
    fail_from_ = 0;
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::snapshot() const {
    const std::lock_guard lock(mutex_);
    auto copy = std::make_unique<MemoryFileSystem>();
    std::unordered_map<const Inode*, std::shared_ptr<Inode>> twins;
    const auto twin = [&](const std::shared_ptr<Inode>& inode) {
        if (!inode) return inode;
        auto& made = twins[inode.get()];
        if (!made) made = std::make_shared<Inode>(*inode);
        return made;
    };
    for (const auto& [path, inode] : now_) copy->now_[path] = twin(inode);
    for (const auto& [path, inode] : durable_) copy->durable_[path] = twin(inode);
    for (const Change& change : unsynced_) copy->unsynced_.push_back({change.kind, change.from, change.to, twin(change.inode)});
    copy->counts_ = counts_;
    copy->operations_ = operations_;
    copy->capacity_ = capacity_;
    copy->used_ = used_;
    return copy;
}

void MemoryFileSystem::set_hook(Hook hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
}

void MemoryFileSystem::fail_from(std::uint64_t operation) {
    const std::lock_guard lock(mutex_);
    fail_from_ = operation;
}

std::uint64_t MemoryFileSystem::operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
}

std::uint64_t MemoryFileSystem::operations(DiskOperation kind) const {
    const std::lock_guard lock(mutex_);
    return counts_[static_cast<std::size_t>(kind)];
}

void MemoryFileSystem::set_capacity(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    capacity_ = bytes;
}

void MemoryFileSystem::corrupt(const std::string& path, std::uint64_t offset, std::uint8_t mask) {
    const std::lock_guard lock(mutex_);
    auto& versions = inode_of(path).sectors[offset / kSectorBytes];
    if (versions.empty()) versions.push_back(Sector{});
    for (Sector& sector : versions) sector[offset % kSectorBytes] ^= std::byte{mask};
}

void MemoryFileSystem::zero(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    for (auto& [index, versions] : inode_of(path).sectors) {
        const std::uint64_t start = index * kSectorBytes;
        const std::uint64_t from = std::max(start, offset), to = std::min(start + kSectorBytes, offset + bytes);
        if (from >= to) continue;
        for (Sector& sector : versions) std::fill_n(sector.begin() + static_cast<std::ptrdiff_t>(from - start), to - from, std::byte{0});
    }
}

void MemoryFileSystem::cut_short(const std::string& path, std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    Inode& inode = inode_of(path);
    set_size(inode, size);
    sync(inode);
}

void MemoryFileSystem::make_unreadable(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t index = offset / kSectorBytes; index * kSectorBytes < offset + bytes; ++index)
        inode_of(path).unreadable.insert(index);
}

void MemoryFileSystem::lose(const std::string& path) {
    const std::lock_guard lock(mutex_);
    static_cast<void>(inode_of(path));
    now_.erase(plain(path));
    durable_.erase(plain(path));
    std::erase_if(unsynced_, [&](const Change& change) { return change.from == plain(path) || change.to == plain(path); });
}

void MemoryFileSystem::set_liar(Liar liar) {
    const std::lock_guard lock(mutex_);
    liar_ = std::move(liar);
}

void MemoryFileSystem::change(Change change) {
    apply(change, now_);
    unsynced_.push_back(std::move(change));
}

void MemoryFileSystem::apply(const Change& change, Tree& tree) {
    // No hard links here: a file that appears under a name goes from any other, whichever change put it there.
    if (change.inode) std::erase_if(tree, [&](const auto& item) { return item.second == change.inode; });
    if (!change.from.empty()) tree.erase(change.from);
    if (!change.to.empty()) tree[change.to] = change.inode;
}

MemoryFileSystem::Sector MemoryFileSystem::present(const Inode& inode, std::uint64_t index) {
    const auto found = inode.sectors.find(index);
    return found == inode.sectors.end() ? Sector{} : found->second.back();
}

void MemoryFileSystem::forget(Inode& inode, std::uint64_t index) {
    const auto found = inode.sectors.find(index);
    if (found->second.size() == 1 && found->second[0] == Sector{}) inode.sectors.erase(found);
}

MemoryFileSystem::Inode& MemoryFileSystem::inode_of(const std::string& path) {
    const auto found = now_.find(plain(path));
    ENSURE(found != now_.end() && found->second);
    return *found->second;
}

}  // namespace tanist::wal
