// SPDX-License-Identifier: Apache-2.0
#include "server/state_store.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>

#include "commands/state_machine.h"
#include "server/options.h"
#include "store/memory_store.h"

namespace tanist::server {
namespace {

bool can_be_copied(const config::Config& config) { return config.cluster.nodes.size() > 1; }

std::filesystem::path condemnation(const config::Config& config) { return config.node.data_dir / "store.condemned"; }

#if TANIST_WITH_ROCKSDB
Result<std::unique_ptr<store::Store>> open_anew(const config::Config& config, const store::StoreOptions& options, std::string_view reason) {
    spdlog::error("the state store cannot be read and is given up: a full copy from another node replaces it reason=\"{}\"", reason);
    if (Status discarded = store::discard_rocks_store(options.path); !discarded) return fail(discarded.error());
    std::error_code failed;
    std::filesystem::remove(condemnation(config), failed);
    if (failed) return fail(ErrorCode::kIo, "{}: {}", condemnation(config).string(), failed.message());
    return store::open_rocks_store(options);
}

/// Whether all that a start reads of the store can be read: opening it looks at no block.
Status try_to_read(store::Store& store) {
    const auto state = commands::StateMachine::open(store);
    return state ? Status{} : fail(state.error());
}

Result<std::unique_ptr<store::Store>> open_cold_store(const config::Config& config) {
    const store::StoreOptions options{.path = (config.node.data_dir / "store").string(),
                                      .cache_bytes = config.store.block_cache_bytes,
                                      .write_buffer_bytes = config.store.write_buffer_bytes};
    std::error_code unknown;
    if (can_be_copied(config) && std::filesystem::exists(condemnation(config), unknown))
        return open_anew(config, options, "it was found corrupt while it was used");
    auto store = store::open_rocks_store(options);
    const Status readable = store ? try_to_read(**store) : fail(store.error());
    if (readable || readable.error().code != ErrorCode::kCorrupt || !can_be_copied(config)) return store;
    if (store) store->reset();
    return open_anew(config, options, readable.error().message);
}
#else
Result<std::unique_ptr<store::Store>> open_cold_store(const config::Config&) {
    return fail(ErrorCode::kInvalidArgument, "store.engine = \"rocksdb\": this program was built without RocksDB; \"memory\" is allowed");
}
#endif

}  // namespace

Result<std::unique_ptr<store::Store>> open_state_store(const config::Config& config) {
    if (config.store.engine == config::StoreEngine::kMemory) return store::open_memory_store(std::make_shared<store::DurableImage>());
    auto cold = open_cold_store(config);
    if (!cold) return cold;
    return store::open_hot_store(std::move(*cold), hot_store_options(config));
}

void condemn_state_store(const config::Config& config) {
    if (!can_be_copied(config) || config.store.engine == config::StoreEngine::kMemory) return;
    const std::ofstream mark(condemnation(config));
    spdlog::error("the state store is corrupt: the next start gives it up, and takes a copy from another node");
}

}  // namespace tanist::server
