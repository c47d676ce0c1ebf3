// SPDX-License-Identifier: Apache-2.0
// What core_test is told on its command line.
#pragma once

namespace tanist::core::testing {

/// --rewrite: the stories are written down as they go now.
extern bool rewrite_stories;

}  // namespace tanist::core::testing
