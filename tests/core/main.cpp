// SPDX-License-Identifier: Apache-2.0
// gmock's own main, with one flag more.
#include <gmock/gmock.h>

#include <string_view>

#include "tests/core/story_options.h"

int main(int argc, char** argv) {
    ::testing::InitGoogleMock(&argc, argv);
    for (int i = 1; i < argc; ++i) tanist::core::testing::rewrite_stories |= std::string_view(argv[i]) == "--rewrite";
    return RUN_ALL_TESTS();
}
