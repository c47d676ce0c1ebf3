// SPDX-License-Identifier: Apache-2.0
#include "wal/vote_file.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "base/mutant.h"
#include "wal/path.h"

namespace tanist::wal {
namespace {

constexpr std::size_t kBytesMax = 512;  // one sector: a disk writes it whole or not at all

enum class Condition : std::uint8_t { kMissing, kUnreadable, kGood };

struct Copy {
    Condition condition = Condition::kMissing;
    Vote vote;
};

Result<Copy> read_copy(FileSystem& files, const std::string& path) {
    const auto content = read_file(files, path, kBytesMax);
    if (!content) {
        if (content.error().code == ErrorCode::kNotFound) return Copy{};
        return Copy{.condition = Condition::kUnreadable};  // a bad sector is as good as a bad checksum
    }
    const auto vote = decode_vote(*content);
    return vote ? Copy{.condition = Condition::kGood, .vote = *vote} : Copy{.condition = Condition::kUnreadable};
}

bool given(const Vote& vote) { return !vote.candidate.node.is_zero(); }

/// What two copies say together; nullopt: the vote is lost.
std::optional<Vote> settle(const Copy& a, const Copy& b) {
    if (a.condition == Condition::kGood && b.condition == Condition::kGood) {
        if (a.vote.epoch != b.vote.epoch) return a.vote.epoch > b.vote.epoch ? a.vote : b.vote;
        if (a.vote == b.vote || !given(b.vote)) return a.vote;
        if (!given(a.vote)) return b.vote;
        return std::nullopt;
    }
    // A crash spoils only the file that it was writing, and the other one then holds all that was ever acted upon.
    if (a.condition == Condition::kGood) return a.vote;
    if (b.condition == Condition::kGood) return b.vote;
    return std::nullopt;
}

}  // namespace

std::string encode(const Vote& vote) {
    std::string text = fmt::format("tanist vote 1\nepoch {:020}\nnode {:020}\nincarnation {:016x}\n", vote.epoch.value,
                                   vote.candidate.node.value, vote.candidate.incarnation.value);
    text += fmt::format("checksum {:08x}\n", crc32c(as_bytes(text)));
    return text;
}

std::optional<Vote> decode_vote(std::string_view content) {
    const auto number = [&](std::string_view label, std::size_t digits, int base) {
        std::uint64_t value = 0;
        if (const auto at = content.find(label); at != std::string_view::npos && at + label.size() + digits <= content.size()) {
            const char* from = content.data() + at + label.size();
            std::from_chars(from, from + digits, value, base);
        }
        return value;
    };
    const Vote vote{.epoch = {number("\nepoch ", 20, 10)},
                    .candidate = {.node = {number("\nnode ", 20, 10)}, .incarnation = {number("\nincarnation ", 16, 16)}}};
    if (encode(vote) != content) return std::nullopt;
    return vote;
}

VoteFile::VoteFile(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)), paths_{join_path(directory_, "vote.a"), join_path(directory_, "vote.b")} {}

Result<std::optional<Vote>> VoteFile::load() {
    const auto a = read_copy(files_, paths_[0]);
    if (!a) return fail(a.error());
    const auto b = read_copy(files_, paths_[1]);
    if (!b) return fail(b.error());
    if (a->condition == Condition::kMissing && b->condition == Condition::kMissing) return std::nullopt;
    const auto vote = settle(*a, *b);
    if (!vote) {
        return fail(ErrorCode::kCorrupt, "the vote is lost: {} and {} are {}", paths_[0], paths_[1],
                    a->condition == Condition::kGood ? "good and hold different votes for one epoch" : "unreadable or missing");
    }
    if (auto status = files_.sync_directory(directory_); !status) return fail(status.error());
    // Written again even where they agree: what the page cache shows need not be on the disk (S4). The one that differs first, so
    // that a good one is there all the time.
    const std::size_t first = a->condition == Condition::kGood && a->vote == *vote ? 1 : 0;
    for (const std::size_t which : {first, 1 - first}) {
        if (auto status = write(which, *vote); !status) return fail(status.error());
    }
    saved_ = *vote;
    return saved_;
}

Status VoteFile::save(const Vote& vote) {
    ENSURE(vote.epoch >= saved_.epoch);
    ENSURE(vote.epoch > saved_.epoch || !given(saved_) || vote == saved_);  // one vote an epoch (S13)
    for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
        if (auto status = write(which, vote); !status) return status;
    }
    saved_ = vote;
    return {};
}

Status VoteFile::write(std::size_t which, const Vote& vote) {
    const std::string text = encode(vote);
    auto& file = open_[which];
    if (!file) {
        const auto exists = files_.exists(paths_[which]);
        if (!exists) return fail(exists.error());
        if (!*exists) {
            if (auto status = replace_file(files_, paths_[which], text); !status) return status;
        }
        auto opened = files_.open(paths_[which], OpenMode::kWrite);
        if (!opened) return fail(std::move(opened).error());
        file = *std::move(opened);
        if (auto status = file->truncate(text.size()); !status) return status;
    }
    if (auto status = file->write_at(0, as_bytes(text)); !status) return status;
    if (mutant(Mutant::kVoteNotSynced)) return {};
    return file->sync_data();
}

}  // namespace tanist::wal
