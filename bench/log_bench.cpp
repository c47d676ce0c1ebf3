// SPDX-License-Identifier: Apache-2.0
// What a write costs behind the codec: into the log on this disk, and into the state when it is applied.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "commands/request.h"
#include "commands/state_machine.h"
#include "store/hot_store.h"
#include "store/memory_store.h"
#include "tests/temporary_directory.h"
#include "wal/log.h"
#include "wal/posix_file_system.h"
#include "workload.h"

namespace tanist::bench {
namespace {

constexpr std::size_t kValueBytes = 100;

/// Entries of SETs on random keys that follow each other.
class Entries {
public:
    explicit Entries(std::size_t sets_per_entry) : sets_(sets_per_entry) {}
    Entry next() {
        payload_.clear();
        for (std::size_t i = 0; i < sets_; ++i) {
            commands::Request request;
            request.commands.push_back(commands::Put{key_name(random_.below(100'000)), std::string(kValueBytes, 'x')});
            commands::append_to(payload_, commands::Logged(std::move(request)));
        }
        Entry entry = Entry::make(Epoch{1}, last_, 1, EntryKind::kCommands, payload_);
        last_ = entry.id();
        return entry;
    }

private:
    const std::size_t sets_;
    Random random_{1};
    EntryId last_;
    std::string payload_;
};

/// One group of so many entries of 64 SETs, written and, with a second argument of 1, synced.
void AppendToLog(benchmark::State& state) {
    const TemporaryDirectory folder;
    wal::PosixFileSystem files;
    auto log = wal::Log::open(files, folder.path() + "/wal", {.retention_bytes = 0}, 1).value();
    while (log->prepare_spare().value()) continue;
    Entries entries(64);
    std::vector<Entry> group;
    for (auto _ : state) {
        state.PauseTiming();
        group.clear();
        for (int i = 0; i < state.range(0); ++i) group.push_back(entries.next());
        if (!log->recycle(log->last().lsn)) state.SkipWithError("recycling failed");
        state.ResumeTiming();
        if (!log->write(group) || (state.range(1) == 1 && !log->sync())) state.SkipWithError("writing failed");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0) * 64);
}
BENCHMARK(AppendToLog)->Args({1, 0})->Args({1, 1})->Args({16, 1})->UseRealTime();

/// Evaluated and put into the hot set, whose cold tier is in memory here: what the loop pays for a SET.
void ApplySets(benchmark::State& state) {
    const auto store = store::open_hot_store(store::open_memory_store(std::make_shared<store::DurableImage>()), {.memory_max = 4UL << 30});
    const auto machine = commands::StateMachine::open(*store).value();
    Entries entries(static_cast<std::size_t>(state.range(0)));
    std::vector<commands::Applied> applied;
    for (auto _ : state) {
        state.PauseTiming();
        const Entry entry = entries.next();
        applied.clear();
        state.ResumeTiming();
        if (!machine->apply(std::span(&entry, 1), &applied)) state.SkipWithError("applying failed");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(ApplySets)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace tanist::bench
