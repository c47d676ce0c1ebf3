// SPDX-License-Identifier: Apache-2.0
// What the load generator asks for: which operations in which shares, on which keys. YCSB's core workloads are given by their letter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/random.h"

namespace tanist::bench {

enum class Kind : std::uint8_t { kRead, kUpdate, kInsert, kScan, kReadModifyWrite };

struct Operation {
    Kind kind = Kind::kRead;
    std::uint64_t key = 0;        ///< its number; key_name() makes the key of it
    std::uint32_t scan_rows = 0;  ///< kScan
};

enum class Choice : std::uint8_t {
    kUniform,
    kZipfian,  ///< few keys are asked for most of the time, spread over the key space (Gray et al., SIGMOD'94; theta 0.99, as in YCSB)
    kLatest,   ///< the same, the newest keys most
};

/// Shares in percent, which make 100.
struct Mix {
    unsigned read = 0, update = 0, insert = 0, scan = 0, read_modify_write = 0;
    Choice choice = Choice::kUniform;
};

/// YCSB's workload 'a' .. 'f'; nullopt: there is none of that name.
[[nodiscard]] std::optional<Mix> ycsb(char letter);

[[nodiscard]] std::string key_name(std::uint64_t number);

/// Ranks 0 .. n-1, the lower the more often.
class Zipfian {
public:
    explicit Zipfian(std::uint64_t n);
    [[nodiscard]] std::uint64_t draw(Random& random) const;

private:
    std::uint64_t n_;
    double zeta_n_, eta_;
};

/// Draws operations. All connections of a run share it: inserts take the next free key.
class Workload {
public:
    Workload(const Mix& mix, std::uint64_t keys);
    [[nodiscard]] Operation draw(Random& random);

private:
    [[nodiscard]] std::uint64_t choose(Random& random) const;

    Mix mix_;
    std::uint64_t keys_;  ///< that exist, inserted ones included
    std::optional<Zipfian> zipfian_;
};

}  // namespace tanist::bench
