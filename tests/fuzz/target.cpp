// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/target.h"

namespace tanist::fuzz {

std::vector<Target> all_targets() {
    std::vector<Target> all;
    for (const auto targets : {protocol_targets(), command_targets(), disk_targets(), text_targets()}) {
        all.insert(all.end(), targets.begin(), targets.end());
    }
    return all;
}

}  // namespace tanist::fuzz
