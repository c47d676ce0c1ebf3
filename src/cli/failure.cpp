// SPDX-License-Identifier: Apache-2.0
#include "cli/failure.h"

namespace tanist::cli {

std::string_view to_string(Exit exit) {
    switch (exit) {
        case Exit::kOk: return "ok";
        case Exit::kNotFound: return "not_found";
        case Exit::kUsage: return "usage";
        case Exit::kUnavailable: return "unavailable";
        case Exit::kRefused: return "refused";
        case Exit::kUnknown: return "unknown";
    }
    return "?";
}

Failure to_failure(const client::Error& error) {
    using client::ErrorCode;
    if (error.outcome == client::Outcome::kUnknown) return {Exit::kUnknown, error.message + " (outcome unknown)"};
    if (error.outcome == client::Outcome::kDone) return {Exit::kOk, error.message + " (done, but the reply is no longer kept)"};
    switch (error.code) {
        case ErrorCode::kInvalidArgument:
        case ErrorCode::kTooLarge:
        case ErrorCode::kUnauthenticated:
        case ErrorCode::kNotPermitted:
        case ErrorCode::kUnsupported: return {Exit::kUsage, error.message};
        case ErrorCode::kNotAnInteger:
        case ErrorCode::kOverflow: return {Exit::kRefused, error.message};
        default: return {Exit::kUnavailable, error.message};
    }
}

}  // namespace tanist::cli
