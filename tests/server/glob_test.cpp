// SPDX-License-Identifier: Apache-2.0
#include "server/resp/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace tanist::server::resp {
namespace {

TEST(Glob, MatchesAsRedisDoes) {
    struct Case {
        std::string_view pattern, text;
        bool matches;
    };
    for (const Case& each : {Case{"*", "", true},
                             {"", "", true},
                             {"", "a", false},
                             {"a*c", "abc", true},
                             {"a*c", "abd", false},
                             {"*a*b*", "xaxbx", true},
                             {"h?llo", "hello", true},
                             {"h?llo", "hllo", false},
                             {"h[ae]llo", "hallo", true},
                             {"h[^e]llo", "hello", false},
                             {"h[a-b]llo", "hbllo", true},
                             {"h[b-a]llo", "hbllo", true},
                             {"\\*", "*", true},
                             {"\\*", "a", false},
                             {"[\\]]", "]", true},
                             {"[a", "a", true},
                             {"a\\", "a\\", true},
                             {"+switch*", "+switch-master", true},
                             {"Foo", "foo", false}}) {
        EXPECT_EQ(matches_glob(each.pattern, each.text), each.matches) << each.pattern << " " << each.text;
    }
    EXPECT_TRUE(matches_glob("max[A-M]*", "MAXMEMORY", true));
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
    std::string pattern;
    for (int i = 0; i < 50; ++i) pattern += "a*";
    EXPECT_FALSE(matches_glob(pattern + "b", std::string(5'000, 'a')));
}

}  // namespace
}  // namespace tanist::server::resp
