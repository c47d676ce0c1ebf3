// SPDX-License-Identifier: Apache-2.0
// A store in memory, for tests, the simulator and sanitizer builds. What "has on disk" means is up to its owner: see DurableImage.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "store/store.h"

namespace tanist::store {

/// What a memory store has "on disk": outlives the store object, so that a simulated crash falls back to it.
struct DurableImage {
    std::map<std::string, std::string, std::less<>> rows;
    Position position;
};

/// `image` is what the last flush() left, and receives the next: at a cost in the keys changed since, not in all of them. It must
/// not be touched by others while the store is open.
[[nodiscard]] std::unique_ptr<Store> open_memory_store(std::shared_ptr<DurableImage> image);

}  // namespace tanist::store
