// SPDX-License-Identifier: Apache-2.0
#include "tanist/error.h"

namespace tanist::client {

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument: return "invalid_argument";
        case ErrorCode::kTooLarge: return "too_large";
        case ErrorCode::kUnavailable: return "unavailable";
        case ErrorCode::kOverloaded: return "overloaded";
        case ErrorCode::kOutcomeUnknown: return "outcome_unknown";
        case ErrorCode::kSessionExpired: return "session_expired";
        case ErrorCode::kAnswerForgotten: return "answer_forgotten";
        case ErrorCode::kStaleToken: return "stale_token";
        case ErrorCode::kTooStale: return "too_stale";
        case ErrorCode::kNotAnInteger: return "not_an_integer";
        case ErrorCode::kOverflow: return "overflow";
        case ErrorCode::kNotMaster: return "not_master";
        case ErrorCode::kWrongCluster: return "wrong_cluster";
        case ErrorCode::kUnsupported: return "unsupported";
        case ErrorCode::kUnauthenticated: return "unauthenticated";
        case ErrorCode::kNotPermitted: return "not_permitted";
        case ErrorCode::kClosed: return "closed";
    }
    return "?";
}

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::kRefused: return "refused";
        case Outcome::kUnknown: return "unknown";
        case Outcome::kDone: return "done";
    }
    return "?";
}

}  // namespace tanist::client
