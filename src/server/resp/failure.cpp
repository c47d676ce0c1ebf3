// SPDX-License-Identifier: Apache-2.0
#include "server/resp/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <variant>

namespace tanist::server::resp {
namespace {

std::string_view code_of(FailureCode code) {
    switch (code) {
        case FailureCode::kNotMaster: return "READONLY";
        case FailureCode::kNoQuorum: return "NOQUORUM";
        case FailureCode::kTryAgain:
        case FailureCode::kTooStale:
        case FailureCode::kReadTimeout:
        case FailureCode::kStaleToken: return "TRYAGAIN";
        case FailureCode::kSessionExpired:
        case FailureCode::kOutcomeUnknown:
        case FailureCode::kAnswerForgotten:
        case FailureCode::kStorageFault: return "UNKNOWN";
        default: return "ERR";
    }
}

std::optional<std::string> refuse_bytes(std::size_t key_bytes, std::size_t value_bytes, const protocol::native::RequestLimits& limits) {
    if (key_bytes > limits.key_bytes_max)
        return fmt::format("ERR key of {} bytes: at most {} are allowed", key_bytes, limits.key_bytes_max);
    if (value_bytes > limits.value_bytes_max)
        return fmt::format("ERR value of {} bytes: at most {} are allowed", value_bytes, limits.value_bytes_max);
    return std::nullopt;
}

}  // namespace

std::string error_of(const Failure& failure) {
    if (failure.code == FailureCode::kNotMaster)
        return fmt::format("READONLY You can't write against a read only replica: {}", failure.message);
    return fmt::format("{} {}", code_of(failure.code), failure.message);
}

std::optional<std::string> error_of(const commands::Outcome& outcome) {
    switch (outcome.code) {
        case commands::OutcomeCode::kDone:
        case commands::OutcomeCode::kConditionFailed: return std::nullopt;
        case commands::OutcomeCode::kNotAnInteger: return "ERR value is not an integer or out of range";
        case commands::OutcomeCode::kOverflow: return "ERR increment or decrement would overflow";
        case commands::OutcomeCode::kTooLarge: return "ERR what would be written or answered passes its limit: nothing was changed";
        case commands::OutcomeCode::kTooMany: return "TRYAGAIN too many changes of one key at once";
        default: return "ERR nothing was changed";
    }
}

std::optional<std::string> not_on_all() { return "UNKNOWN executed, and durable on a majority; not on every data node by the deadline"; }

std::optional<std::string> refuse_size(const commands::Request& request, const protocol::native::RequestLimits& limits) {
    if (request.conditions.size() + request.commands.size() > commands::kPartsPerRequestMax) {
        return fmt::format("ERR too many keys in one command: {} are allowed", commands::kPartsPerRequestMax);
    }
    if (commands::count_words(request) > commands::kWordsPerRequestMax) {
        return fmt::format("ERR too many words: {} are allowed", commands::kWordsPerRequestMax);
    }
    const auto [key_bytes, value_bytes] = commands::largest_parts(request);
    return refuse_bytes(key_bytes, value_bytes, limits);
}

std::optional<std::string> refuse_size(std::string_view key, std::string_view value, const protocol::native::RequestLimits& limits) {
    return refuse_bytes(key.size(), value.size(), limits);
}

}  // namespace tanist::server::resp
