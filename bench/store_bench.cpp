// SPDX-License-Identifier: Apache-2.0
// What a key costs in the hot set, in RocksDB behind it, and in both put together: read and written in batches, as a pipeline comes.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "store/hot_set.h"
#include "store/hot_store.h"
#include "tests/temporary_directory.h"

namespace tanist::store {
namespace {

constexpr std::size_t kMemory = 4UL << 30;
constexpr std::size_t kValueBytes = 109;  // 100 and the trailer of a row

std::string key_of(std::uint64_t i) {
    const std::string digits = std::to_string(i);
    return "dkey:" + std::string(12 - digits.size(), '0') + digits;
}

/// Batches of random keys, made before time is taken.
class Batches {
public:
    Batches(std::uint64_t keys, std::size_t batch_size) {
        Random random(1);
        for (std::size_t i = 0; i < kBatches * batch_size; ++i) keys_.push_back(key_of(random.below(keys)));
        for (const std::string& key : keys_) views_.push_back(key);
        for (const std::string& key : keys_) changes_.push_back({key, value_});
        size_ = batch_size;
    }
    std::span<const std::string_view> keys() { return std::span(views_).subspan(next(), size_); }
    std::span<const Change> changes() { return std::span(changes_).subspan(next(), size_); }

private:
    static constexpr std::size_t kBatches = 4096;
    std::size_t next() { return (at_++ % kBatches) * size_; }
    const std::string value_ = std::string(kValueBytes, 'w');
    std::vector<std::string> keys_;
    std::vector<std::string_view> views_;
    std::vector<Change> changes_;
    std::size_t size_ = 0, at_ = 0;
};

Position at(std::uint64_t lsn) { return {.applied = {.epoch = Epoch{1}, .lsn = Lsn{lsn}}, .timestamp = lsn}; }

/// A store that was filled with `keys` keys, in a folder that goes with it.
class Filled {
public:
    Filled(std::uint64_t keys, bool hot) {
        store_ = open_rocks_store({.path = folder_.path() + "/store"}).value();
        if (hot) store_ = open_hot_store(std::move(store_), {.memory_max = kMemory});
        const std::string value(kValueBytes, 'v');
        std::vector<std::string> names;
        for (std::uint64_t i = 0; i < keys; ++i) names.push_back(key_of(i));
        std::vector<Change> changes;
        for (std::uint64_t i = 0; i < keys; ++i) {
            changes.push_back({names[i], value});
            if (changes.size() == 1000 || i + 1 == keys) apply(changes), changes.clear();
        }
        store_->checkpoint().value();
    }
    void apply(std::span<const Change> changes) {
        if (!store_->apply(changes, at(++lsn_))) std::abort();
    }
    Store& store() { return *store_; }

private:
    TemporaryDirectory folder_;
    std::unique_ptr<Store> store_;
    std::uint64_t lsn_ = 0;
};

void read(benchmark::State& state, bool hot) {
    const auto keys = static_cast<std::uint64_t>(state.range(0));
    Filled filled(keys, hot);
    Batches batches(keys, static_cast<std::size_t>(state.range(1)));
    std::size_t bytes = 0;
    for (auto _ : state) {
        static_cast<void>(filled.store().read(
            batches.keys(), kNoBound, [&](std::size_t, std::optional<std::string_view> value) { bytes += value ? value->size() : 0; }));
    }
    benchmark::DoNotOptimize(bytes);
    state.SetItemsProcessed(state.iterations() * state.range(1));
}
void read_rocks(benchmark::State& state) { read(state, false); }
void read_hot(benchmark::State& state) { read(state, true); }

void write(benchmark::State& state, bool hot) {
    const auto keys = static_cast<std::uint64_t>(state.range(0));
    Filled filled(keys, hot);
    Batches batches(keys, static_cast<std::size_t>(state.range(1)));
    for (auto _ : state) {
        filled.apply(batches.changes());
        if (filled.store().unstored_bytes() > 64 << 20) static_cast<void>(filled.store().flush());
    }
    state.SetItemsProcessed(state.iterations() * state.range(1));
}
void write_rocks(benchmark::State& state) { write(state, false); }
void write_hot(benchmark::State& state) { write(state, true); }

/// The table alone, without a store around it.
void find_in_hot_set(benchmark::State& state) {
    const auto keys = static_cast<std::uint64_t>(state.range(0));
    HotSet hot(kMemory, 1);
    for (std::uint64_t i = 0; i < keys; ++i) hot.admit(key_of(i), std::string(kValueBytes, 'v'));
    Batches batches(keys, static_cast<std::size_t>(state.range(1)));
    std::array<HotEntry*, HotSet::kBatchMax> found;
    std::size_t bytes = 0;
    for (auto _ : state) {
        const auto batch = batches.keys();
        hot.find(batch, found);
        for (std::size_t i = 0; i < batch.size(); ++i) bytes += found[i]->value().size();
    }
    benchmark::DoNotOptimize(bytes);
    state.SetItemsProcessed(state.iterations() * state.range(1));
    state.counters["bytes_per_key"] = static_cast<double>(hot.memory()) / static_cast<double>(hot.size());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
    for (const int keys : {100'000, 1'000'000}) {
        for (const int batch : {1, 16, 64}) benchmark->Args({keys, batch});
    }
    benchmark->ArgNames({"keys", "batch"});
}
BENCHMARK(find_in_hot_set)->Apply(sizes);
BENCHMARK(read_hot)->Apply(sizes);
BENCHMARK(read_rocks)->Apply(sizes);
BENCHMARK(write_hot)->Apply(sizes);
BENCHMARK(write_rocks)->Apply(sizes);

}  // namespace
}  // namespace tanist::store

BENCHMARK_MAIN();
