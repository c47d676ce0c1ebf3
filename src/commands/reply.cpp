// SPDX-License-Identifier: Apache-2.0
#include "commands/reply.h"

#include <algorithm>

#include "base/bytes.h"

namespace tanist::commands {
namespace {

/// An outcome, integers as varints:
///   u8 code, u8 flags (1: value, 2: failed_condition, 4: results), version, [failed_condition], [value],
///   [number of results, each: u8 flags (1: value, 2: found), version, [value]]
constexpr std::uint8_t kHasValue = 1, kHasCondition = 2, kHasResults = 4, kFound = 2;

std::size_t value_bytes(const Outcome& outcome) {
    std::size_t bytes = outcome.value ? outcome.value->size() : 0;
    for (const auto& result : outcome.results) bytes += 2 + (result.value ? result.value->size() : 0);
    return bytes;
}

}  // namespace

std::optional<std::string> encode_outcome(const Outcome& outcome, std::size_t bytes_max) {
    if (value_bytes(outcome) > bytes_max) return std::nullopt;  // before megabytes are copied
    // Redis clients have no sessions of this kind; whoever repeats such a request is told that it is done.
    if (std::ranges::any_of(outcome.results, [](const CommandResult& result) { return result.reply != nullptr; })) return std::nullopt;
    std::string out;
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(outcome.code));
    writer.u8(static_cast<std::uint8_t>((outcome.value ? kHasValue : 0) | (outcome.failed_condition != 0 ? kHasCondition : 0) |
                                        (outcome.results.empty() ? 0 : kHasResults)));
    writer.varint(outcome.version.value);
    if (outcome.failed_condition != 0) writer.varint(outcome.failed_condition);
    if (outcome.value) writer.string(*outcome.value);
    if (!outcome.results.empty()) writer.varint(outcome.results.size());
    for (const CommandResult& result : outcome.results) {
        writer.u8(static_cast<std::uint8_t>((result.value ? kHasValue : 0) | (result.found ? kFound : 0)));
        writer.varint(result.version.value);
        if (result.value) writer.string(*result.value);
    }
    if (out.size() > bytes_max) return std::nullopt;
    return out;
}

std::optional<Outcome> decode_outcome(std::string_view bytes) {
    ByteReader reader(bytes);
    Outcome outcome;
    const std::uint8_t code = reader.u8(), flags = reader.u8();
    if (code < static_cast<std::uint8_t>(OutcomeCode::kDone) || code > static_cast<std::uint8_t>(OutcomeCode::kMalformed))
        return std::nullopt;
    outcome.code = static_cast<OutcomeCode>(code);
    outcome.version = {reader.varint()};
    if ((flags & kHasCondition) != 0) outcome.failed_condition = static_cast<std::uint32_t>(reader.varint());
    if ((flags & kHasValue) != 0) outcome.value = reader.string();
    if ((flags & kHasResults) != 0) {
        for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
            const std::uint8_t result_flags = reader.u8();
            CommandResult result{.value = std::nullopt, .version = {reader.varint()}, .found = (result_flags & kFound) != 0};
            if ((result_flags & kHasValue) != 0) result.value = reader.string();
            outcome.results.push_back(std::move(result));
        }
    }
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return outcome;
}

}  // namespace tanist::commands
