// SPDX-License-Identifier: Apache-2.0
// Waiting without giving the core away.
#pragma once

namespace tanist::server {

/// Up to a microsecond or two, in which a core that shares its units with another leaves them to that one.
inline void pause_briefly() {
    constexpr int kPauses = 32;
    for (int i = 0; i < kPauses; ++i) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
}

}  // namespace tanist::server
