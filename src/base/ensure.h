// SPDX-License-Identifier: Apache-2.0
// ENSURE: a condition that only a bug of ours can break. On in release too: prints the condition and ends the process.
#pragma once

namespace tanist::detail {
[[noreturn]] void ensure_failed(const char* condition, const char* file, int line);
}

#define ENSURE(condition) ((condition) ? static_cast<void>(0) : ::tanist::detail::ensure_failed(#condition, __FILE__, __LINE__))
