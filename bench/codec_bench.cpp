// SPDX-License-Identifier: Apache-2.0
// What the codecs cost: Redis's requests, the native protocol's, and the frames between nodes, each a pipeline at a time.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "dialect.h"
#include "protocol/client_codec.h"
#include "protocol/peer_codec.h"
#include "protocol/resp_decoder.h"
#include "workload.h"

namespace tanist::bench {
namespace {

constexpr std::size_t kValueBytes = 100;

void count(benchmark::State& state, std::int64_t each) { state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * each); }

void DecodeRespSets(benchmark::State& state) {
    std::string pipeline;
    for (int i = 0; i < state.range(0); ++i)
        append_command(pipeline, {"SET", key_name(static_cast<std::uint64_t>(i)), std::string(kValueBytes, 'x')});
    protocol::ReadBuffer buffer;
    protocol::RespDecoder decoder;
    for (auto _ : state) {
        buffer.append(as_bytes(pipeline));
        while (const auto command = *decoder.next(buffer)) benchmark::DoNotOptimize(command->size());
    }
    count(state, state.range(0));
}
BENCHMARK(DecodeRespSets)->Arg(1)->Arg(64);

void DecodeNativePuts(benchmark::State& state) {
    std::string pipeline;
    for (int i = 0; i < state.range(0); ++i) {
        const protocol::native::Put put{key_name(static_cast<std::uint64_t>(i)), std::string(kValueBytes, 'x')};
        (void)protocol::native::append_to(pipeline, {.id = static_cast<std::uint64_t>(i) + 1, .body = put});
    }
    protocol::ReadBuffer buffer;
    for (auto _ : state) {
        buffer.append(as_bytes(pipeline));
        while (const auto frame = *protocol::next_frame(buffer)) benchmark::DoNotOptimize(protocol::native::decode_request(frame->bytes));
    }
    count(state, state.range(0));
}
BENCHMARK(DecodeNativePuts)->Arg(1)->Arg(64);

core::Message append_of(std::int64_t payload_bytes) {
    core::Append append{.commit = {1}, .round = 1};
    append.entries.push_back(Entry::make({1}, {}, 1, EntryKind::kCommands, std::string(static_cast<std::size_t>(payload_bytes), 'x')));
    return {{{1}, {{1}, {1}}, {1}}, std::move(append)};
}

/// The entry's bytes are shared, not copied: the cost does not grow with them.
void EncodeAppend(benchmark::State& state) {
    const core::Message message = append_of(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(protocol::encode(message));
    count(state, 1);
}
BENCHMARK(EncodeAppend)->Arg(150)->Arg(64 << 10);

/// Checks the entry's checksum.
void DecodeAppend(benchmark::State& state) {
    std::string frame;
    protocol::encode(append_of(state.range(0))).append_to(frame);
    protocol::ReadBuffer buffer(256 << 10);
    for (auto _ : state) {
        buffer.append(as_bytes(frame));
        benchmark::DoNotOptimize(protocol::decode_message(**protocol::next_frame(buffer)));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(DecodeAppend)->Arg(150)->Arg(64 << 10);

}  // namespace
}  // namespace tanist::bench
