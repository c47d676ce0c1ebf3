// SPDX-License-Identifier: Apache-2.0
#include "base/ensure.h"

#include <cstdio>
#include <cstdlib>

namespace tanist::detail {

void ensure_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "tanist: bug: %s:%d: this must hold: %s\n", file, line, condition);
    std::fflush(stderr);
    std::abort();
}

}  // namespace tanist::detail
