// SPDX-License-Identifier: Apache-2.0
// Gives one target, the one that TANIST_FUZZ_TARGET names, to libFuzzer, whose main() this program has. The name is in the environment
// because libFuzzer starts the program again for some of its jobs.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.h"

namespace {

const tanist::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    static const auto kTargets = tanist::fuzz::all_targets();
    const char* name = std::getenv("TANIST_FUZZ_TARGET");
    for (const auto& target : kTargets) {
        if (name != nullptr && target.name == name) chosen = &target;
    }
    if (chosen != nullptr) return 0;
    std::fprintf(stderr, "TANIST_FUZZ_TARGET = '%s': must be one of\n", name == nullptr ? "" : name);
    for (const auto& target : kTargets) std::fprintf(stderr, "  %.*s\n", static_cast<int>(target.name.size()), target.name.data());
    std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    chosen->run(std::as_bytes(std::span(data, size)));
    return 0;
}
