// SPDX-License-Identifier: Apache-2.0
// Both kinds of store behind one face, so that one suite tests them: a directory of its own, reopening, crashing.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "store/memory_store.h"
#include "store/store.h"

namespace tanist::store {

/// A directory that goes with it.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tanist-test-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) std::abort();
        path_ = pattern;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// A place where a store lies. Opening again what was closed without a flush is what a crash leaves.
struct MemoryPlace {
    std::shared_ptr<DurableImage> image = std::make_shared<DurableImage>();
    [[nodiscard]] Result<std::unique_ptr<Store>> open() { return open_memory_store(image); }
};

#if TANIST_WITH_ROCKSDB
struct RocksPlace {
    TemporaryDirectory directory;
    [[nodiscard]] std::string path() const { return directory.path() + "/store"; }
    [[nodiscard]] Result<std::unique_ptr<Store>> open() { return open_rocks_store({.path = path()}); }
};
using Places = ::testing::Types<MemoryPlace, RocksPlace>;
#else
using Places = ::testing::Types<MemoryPlace>;
#endif

}  // namespace tanist::store
