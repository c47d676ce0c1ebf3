// SPDX-License-Identifier: Apache-2.0
#include "sim/history_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

namespace tanist::sim {
namespace {

constexpr std::size_t kFields = 9;
constexpr std::array<std::pair<std::string_view, Observed::Kind>, 4> kKinds{{{"read", Observed::Kind::kRead},
                                                                             {"write", Observed::Kind::kWrite},
                                                                             {"compare", Observed::Kind::kCompare},
                                                                             {"increment", Observed::Kind::kIncrement}}};

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> fields;
    while (true) {
        const std::size_t tab = line.find('\t');
        fields.push_back(line.substr(0, tab));
        if (tab == std::string_view::npos) return fields;
        line.remove_prefix(tab + 1);
    }
}

template <std::integral N>
bool read(std::string_view field, N& number) {
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
    return error == std::errc{} && end == field.data() + field.size();
}

bool read(std::string_view field, std::optional<std::string>& value) {
    if (field == "-") return true;
    if (!field.starts_with('=')) return false;
    value = field.substr(1);
    return true;
}

/// The name of the first field that cannot be read; empty: all can.
std::string_view read(const std::vector<std::string_view>& fields, Observed& to) {
    const auto* kind = std::ranges::find(kKinds, fields[1], &std::pair<std::string_view, Observed::Kind>::first);
    if (kind == kKinds.end()) return "kind";
    to.kind = kind->second;
    if (!read(fields[2], to.begin)) return "begin";
    if (fields[3] != "-") {
        if (!read(fields[3], to.end.emplace()) || *to.end < to.begin) return "end";
    }
    if (!read(fields[4], to.expected)) return "expected";
    if (!read(fields[5], to.value)) return "value";
    if (!read(fields[6], to.result)) return "result";
    if (!read(fields[7], to.by)) return "by";
    if (fields[8] != "0" && fields[8] != "1") return "succeeded";
    to.succeeded = fields[8] == "1";
    return {};
}

}  // namespace

Result<KeyHistories> read_histories(std::istream& in, const std::string& name) {
    KeyHistories histories;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        const auto fields = split(line);
        if (fields.size() != kFields)
            return fail(ErrorCode::kInvalidArgument, "{}:{}: {} fields, and a line has {}", name, number, fields.size(), kFields);
        Observed observed;
        if (const std::string_view bad = read(fields, observed); !bad.empty())
            return fail(ErrorCode::kInvalidArgument, "{}:{}: the field {} cannot be read: {}", name, number, bad, line);
        histories.add(std::string(fields[0]), std::move(observed));
    }
    if (in.bad()) return fail(ErrorCode::kIo, "{}: cannot be read", name);
    return histories;
}

int check_history_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        fmt::print(stderr, "{}: cannot be opened\n", path);
        return 2;
    }
    const auto histories = read_histories(file, path);
    if (!histories) {
        fmt::print(stderr, "{}\n", histories.error().message);
        return 2;
    }
    const KeyHistories::Verdict verdict = histories->check(kStepsMax);
    if (verdict.violation) fmt::print("{}\n", *verdict.violation);
    fmt::print("{} operations: {}, {} keys undecided\n", verdict.operations, verdict.violation ? "NOT linearizable" : "linearizable",
               verdict.undecided_keys);
    return verdict.violation ? 1 : 0;
}

}  // namespace tanist::sim
