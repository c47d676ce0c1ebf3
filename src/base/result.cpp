// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

namespace tanist {

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument: return "invalid argument";
        case ErrorCode::kNotFound: return "not found";
        case ErrorCode::kUnavailable: return "unavailable";
        case ErrorCode::kNotMaster: return "not master";
        case ErrorCode::kOverloaded: return "overloaded";
        case ErrorCode::kTimeout: return "timeout";
        case ErrorCode::kOutcomeUnknown: return "outcome unknown";
        case ErrorCode::kConflict: return "conflict";
        case ErrorCode::kSessionExpired: return "session expired";
        case ErrorCode::kStaleToken: return "stale token";
        case ErrorCode::kCorrupt: return "corrupt";
        case ErrorCode::kRecycled: return "recycled";
        case ErrorCode::kIo: return "input/output error";
        case ErrorCode::kLocked: return "locked";
        case ErrorCode::kRefused: return "refused";
    }
    return "unknown error code";
}

}  // namespace tanist
