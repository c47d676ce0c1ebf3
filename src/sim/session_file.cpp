// SPDX-License-Identifier: Apache-2.0
#include "sim/session_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/request.h"

namespace tanist::sim {
namespace {

enum class Kind : std::uint8_t { kWrite, kWeakWrite, kRead, kLinearizableRead, kStaleRead, kCut };

constexpr std::size_t kFields = 5;
constexpr std::array<std::pair<std::string_view, Kind>, 6> kKinds{{{"write", Kind::kWrite},
                                                                   {"weak-write", Kind::kWeakWrite},
                                                                   {"read", Kind::kRead},
                                                                   {"linearizable-read", Kind::kLinearizableRead},
                                                                   {"stale-read", Kind::kStaleRead},
                                                                   {"cut", Kind::kCut}}};

/// A version in the order of the changes: by LSN, and among those of one entry by their ordinals.
struct Order {
    std::uint64_t lsn = 0, ordinal = 0;
    friend auto operator<=>(const Order&, const Order&) = default;
};

Order order_of(commands::Version version) { return {commands::lsn_of(version).value, version.value >> commands::kLsnBits}; }

std::string to_text(Order at) { return at.ordinal == 0 ? fmt::format("{}", at.lsn) : fmt::format("{}.{}", at.lsn, at.ordinal); }

struct Line {
    std::size_t number = 0;
    std::string session;
    Kind kind = Kind::kRead;
    std::string key;
    Order version;
    std::optional<std::string> value;
};

/// The name of the first field that cannot be read; empty: all can.
std::string_view read(const std::array<std::string_view, kFields>& fields, Line& to) {
    const auto* kind = std::ranges::find(kKinds, fields[1], &std::pair<std::string_view, Kind>::first);
    if (kind == kKinds.end()) return "kind";
    to.session = fields[0];
    to.kind = kind->second;
    to.key = fields[2];
    const std::string_view version = fields[3];
    commands::Version number;
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number.value);
    if (error != std::errc{} || end != version.data() + version.size()) return "version";
    to.version = order_of(number);
    if (fields[4].starts_with('=')) {
        to.value = fields[4].substr(1);
    } else if (fields[4] != "-") {
        return "value";
    }
    return {};
}

Result<std::vector<Line>> read_lines(std::istream& in, const std::string& name) {
    std::vector<Line> lines;
    std::string text;
    for (std::size_t number = 1; std::getline(in, text); ++number) {
        std::array<std::string_view, kFields> fields;
        std::size_t count = 0;
        for (std::string_view rest = text;; ++count) {
            const std::size_t tab = rest.find('\t');
            if (count < kFields) fields[count] = rest.substr(0, tab);
            if (tab == std::string_view::npos) break;
            rest.remove_prefix(tab + 1);
        }
        if (++count != kFields)
            return fail(ErrorCode::kInvalidArgument, "{}:{}: {} fields, and a line has {}", name, number, count, kFields);
        Line line{.number = number};
        if (const std::string_view bad = read(fields, line); !bad.empty())
            return fail(ErrorCode::kInvalidArgument, "{}:{}: the field {} cannot be read: {}", name, number, bad, text);
        lines.push_back(std::move(line));
    }
    if (in.bad()) return fail(ErrorCode::kIo, "{}: cannot be read", name);
    return lines;
}

/// All that became of each key for good: by version, the value, and whether somebody was promised that it is there.
class Changes {
public:
    /// What contradicts what is known; nullopt: nothing.
    std::optional<std::string> add(const Line& line) {
        if (line.kind == Kind::kCut || line.kind == Kind::kWeakWrite || line.version == Order{}) return std::nullopt;
        auto [known, is_new] = keys_[line.key].try_emplace(line.version, Change{line.value.value_or(std::string())});
        if (line.kind == Kind::kWrite) known->second.promised = true;
        if (is_new || known->second.value == line.value) return std::nullopt;
        return fmt::format("version {} of {} is \"{}\" and \"{}\"", to_text(line.version), line.key, known->second.value,
                           line.value.value_or("-"));
    }

    /// The newest promised version of a key at or below the LSN `bound`; zero: none.
    [[nodiscard]] Order promised(const std::string& key, std::uint64_t bound) const {
        const auto found = keys_.find(key);
        if (found == keys_.end()) return {};
        for (auto at = found->second.lower_bound({bound + 1, 0}); at != found->second.begin();) {
            --at;
            if (at->second.promised) return at->first;
        }
        return {};
    }

private:
    struct Change {
        std::string value;
        bool promised = false;
    };
    std::map<std::string, std::map<Order, Change>> keys_;
};

struct Session {
    std::uint64_t seen = 0;             ///< the newest LSN that it knows to be committed
    std::map<std::string, Order> keys;  ///< the newest version of each that it saw or wrote
    std::map<std::string, Order> weak;  ///< and of those that it wrote at level master
};

/// Why the read is older than the session may see; nullopt: it is not.
std::optional<std::string> went_back(const Session& session, const Changes& changes, const Line& read) {
    for (const auto* known : {&session.keys, &session.weak}) {
        if (known == &session.weak && read.kind != Kind::kRead) continue;
        const auto own = known->find(read.key);
        if (own != known->end() && read.version < own->second)
            return fmt::format("session {} reads {} at version {}, and has written or seen version {}", read.session, read.key,
                               to_text(read.version), to_text(own->second));
    }
    if (const Order promised = changes.promised(read.key, session.seen); read.version < promised)
        return fmt::format("session {}, which has seen LSN {}, reads {} at version {}, and version {} was acknowledged", read.session,
                           session.seen, read.key, to_text(read.version), to_text(promised));
    return std::nullopt;
}

}  // namespace

Result<SessionVerdict> check_sessions(std::istream& in, const std::string& name) {
    const auto lines = read_lines(in, name);
    if (!lines) return tl::unexpected(lines.error());
    SessionVerdict verdict;
    Changes changes;
    const auto tell = [&](const Line& line, const std::optional<std::string>& what) {
        if (what && !verdict.violation) verdict.violation = fmt::format("{}:{}: {}", name, line.number, *what);
    };
    for (const Line& line : *lines) tell(line, changes.add(line));

    std::map<std::string, Session> sessions;
    for (const Line& line : *lines) {
        Session& session = sessions[line.session];
        if (line.kind == Kind::kCut) {
            session = {};
            ++verdict.cuts;
            continue;
        }
        const bool is_write = line.kind == Kind::kWrite || line.kind == Kind::kWeakWrite;
        ++(is_write ? verdict.writes : verdict.reads);
        if (line.kind == Kind::kRead || line.kind == Kind::kLinearizableRead) tell(line, went_back(session, changes, line));
        Order& of_key = (line.kind == Kind::kWeakWrite ? session.weak : session.keys)[line.key];
        of_key = std::max(of_key, line.version);
        if (line.kind != Kind::kWeakWrite) session.seen = std::max(session.seen, line.version.lsn);
    }
    verdict.sessions = sessions.size();
    return verdict;
}

int check_session_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        fmt::print(stderr, "{}: cannot be opened\n", path);
        return 2;
    }
    const auto verdict = check_sessions(file, path);
    if (!verdict) {
        fmt::print(stderr, "{}\n", verdict.error().message);
        return 2;
    }
    if (verdict->violation) fmt::print("{}\n", *verdict->violation);
    fmt::print("{} sessions, {} reads, {} writes, {} told that what they saw is lost: guarantees {}\n", verdict->sessions, verdict->reads,
               verdict->writes, verdict->cuts, verdict->violation ? "BROKEN" : "kept");
    return verdict->violation ? 1 : 0;
}

}  // namespace tanist::sim
