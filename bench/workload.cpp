// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tanist::bench {
namespace {

constexpr double kTheta = 0.99;
constexpr std::uint64_t kScanRowsMax = 100;

/// FNV-1a over the eight bytes: what YCSB scatters its ranks with.
std::uint64_t scatter(std::uint64_t value) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (int i = 0; i < 8; ++i, value >>= 8) hash = (hash ^ (value & 0xff)) * 0x100000001b3;
    return hash;
}

double draw_unit(Random& random) { return static_cast<double>(random.next() >> 11) * 0x1.0p-53; }

}  // namespace

std::optional<Mix> ycsb(char letter) {
    switch (letter) {
        case 'a': return Mix{.read = 50, .update = 50, .choice = Choice::kZipfian};
        case 'b': return Mix{.read = 95, .update = 5, .choice = Choice::kZipfian};
        case 'c': return Mix{.read = 100, .choice = Choice::kZipfian};
        case 'd': return Mix{.read = 95, .insert = 5, .choice = Choice::kLatest};
        case 'e': return Mix{.insert = 5, .scan = 95, .choice = Choice::kZipfian};
        case 'f': return Mix{.read = 50, .read_modify_write = 50, .choice = Choice::kZipfian};
        default: return std::nullopt;
    }
}

std::string key_name(std::uint64_t number) { return fmt::format("key:{:012}", number); }

Zipfian::Zipfian(std::uint64_t n) : n_(n), zeta_n_(0) {
    for (std::uint64_t i = 1; i <= n; ++i) zeta_n_ += std::pow(static_cast<double>(i), -kTheta);
    const double zeta_2 = 1 + std::pow(2.0, -kTheta);
    eta_ = (1 - std::pow(2.0 / static_cast<double>(n), 1 - kTheta)) / (1 - zeta_2 / zeta_n_);
}

std::uint64_t Zipfian::draw(Random& random) const {
    const double u = draw_unit(random), uz = u * zeta_n_;
    if (uz < 1) return 0;
    if (uz < 1 + std::pow(0.5, kTheta)) return std::min<std::uint64_t>(1, n_ - 1);
    const double rank = static_cast<double>(n_) * std::pow(eta_ * u - eta_ + 1, 1 / (1 - kTheta));
    return std::min(static_cast<std::uint64_t>(rank), n_ - 1);
}

Workload::Workload(const Mix& mix, std::uint64_t keys) : mix_(mix), keys_(keys) {
    if (mix.choice != Choice::kUniform) zipfian_.emplace(keys);
}

std::uint64_t Workload::choose(Random& random) const {
    switch (mix_.choice) {
        case Choice::kUniform: return random.below(keys_);
        case Choice::kZipfian: return scatter(zipfian_->draw(random)) % keys_;
        case Choice::kLatest: return keys_ - 1 - zipfian_->draw(random);
    }
    return 0;
}

Operation Workload::draw(Random& random) {
    std::uint64_t at = random.below(100);
    const auto falls = [&](unsigned share) {
        if (at < share) return true;
        at -= share;
        return false;
    };
    if (falls(mix_.read)) return {Kind::kRead, choose(random)};
    if (falls(mix_.update)) return {Kind::kUpdate, choose(random)};
    if (falls(mix_.insert)) return {Kind::kInsert, keys_++};
    if (falls(mix_.scan)) return {Kind::kScan, choose(random), static_cast<std::uint32_t>(random.between(1, kScanRowsMax))};
    return {Kind::kReadModifyWrite, choose(random)};
}

}  // namespace tanist::bench
