// SPDX-License-Identifier: Apache-2.0
// LCS: the longest common subsequence of two values. The walk back through the table goes as Redis's does, since where several
// subsequences are equally long, and for the ranges of IDX, the way that is taken shows.
#include <vector>

#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

struct Options {
    bool indexes = false, length = false, match_lengths = false;
    std::int64_t match_bytes_min = 0;
};

Parsed<Options> read_options(const Call& call) {
    Options options;
    for (std::size_t i = 3; i < call.words.size(); ++i) {
        if (is(call.words[i], "IDX")) {
            options.indexes = true;
        } else if (is(call.words[i], "LEN")) {
            options.length = true;
        } else if (is(call.words[i], "WITHMATCHLEN")) {
            options.match_lengths = true;
        } else if (is(call.words[i], "MINMATCHLEN") && i + 1 < call.words.size()) {
            const auto bytes = integer(call.words[++i]);
            if (!bytes) return tl::unexpected<Reply>(bytes.error());
            options.match_bytes_min = std::max<std::int64_t>(0, *bytes);
        } else {
            return refuse(kSyntaxError);
        }
    }
    if (options.indexes && options.length) return refuse("ERR If you want both the length and indexes, please just use IDX.");
    return options;
}

/// length(i, j): of the first i bytes of one value and the first j of the other.
class Table {
public:
    Table(std::string_view a, std::string_view b) : width_(b.size() + 1), cells_((a.size() + 1) * width_) {
        for (std::size_t i = 1; i <= a.size(); ++i) {
            for (std::size_t j = 1; j <= b.size(); ++j) {
                cells_[i * width_ + j] = a[i - 1] == b[j - 1] ? length(i - 1, j - 1) + 1 : std::max(length(i - 1, j), length(i, j - 1));
            }
        }
    }
    [[nodiscard]] std::uint32_t length(std::size_t i, std::size_t j) const { return cells_[i * width_ + j]; }
    static constexpr std::size_t kCellBytes = sizeof(std::uint32_t);

private:
    std::size_t width_;
    std::vector<std::uint32_t> cells_;
};

/// A run of bytes that both values have, both ends included.
struct Match {
    std::size_t a_first, a_last, b_first, b_last;
    [[nodiscard]] std::size_t bytes() const { return a_last - a_first + 1; }
};

struct Found {
    std::string text;
    std::vector<Match> matches;  ///< from the end on
};

Found walk_back(std::string_view a, std::string_view b, const Table& table) {
    Found found;
    found.text.resize(table.length(a.size(), b.size()));
    std::size_t left = found.text.size();
    std::optional<Match> match;
    for (std::size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
        bool ends = false;
        if (a[i - 1] == b[j - 1]) {
            found.text[--left] = a[i - 1];
            if (!match) {
                match = Match{i - 1, i - 1, j - 1, j - 1};
            } else if (match->a_first == i && match->b_first == j) {
                --match->a_first;
                --match->b_first;
            } else {
                ends = true;
            }
            ends |= match->a_first == 0 || match->b_first == 0;
            --i;
            --j;
        } else {
            table.length(i - 1, j) > table.length(i, j - 1) ? --i : --j;
            ends = match.has_value();
        }
        if (!ends) continue;
        found.matches.push_back(*match);
        match.reset();
    }
    return found;
}

Reply range(std::size_t first, std::size_t last) { return Reply::array({Reply::number(first), Reply::number(last)}); }

Reply encode_matches(const Options& options, const Found& found) {
    std::vector<Reply> matches;
    for (const Match& match : found.matches) {
        if (match.bytes() < static_cast<std::size_t>(options.match_bytes_min)) continue;
        std::vector<Reply> parts{range(match.a_first, match.a_last), range(match.b_first, match.b_last)};
        if (options.match_lengths) parts.push_back(Reply::number(match.bytes()));
        matches.push_back(Reply::array(std::move(parts)));
    }
    return Reply::map({Reply::bulk("matches"), Reply::array(std::move(matches)), Reply::bulk("len"), Reply::number(found.text.size())});
}

}  // namespace

Reply lcs(Call& call) {
    const auto text_of = [&](std::string_view key) {
        const Keyspace::Row& row = call.keys.find(key);
        return std::string(row.exists ? row.value.bytes() : std::string_view());
    };
    const std::string a = text_of(call.words[1]), b = text_of(call.words[2]);
    const auto options = read_options(call);
    if (!options) return options.error();
    if (!fits((a.size() + 1) * (b.size() + 1) * Table::kCellBytes)) {
        return Reply::error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    }
    const Table table(a, b);
    if (options->length) return Reply::number(std::int64_t{table.length(a.size(), b.size())});
    const Found found = walk_back(a, b, table);
    return options->indexes ? encode_matches(*options, found) : Reply::bulk(found.text);
}

}  // namespace tanist::commands::redis
