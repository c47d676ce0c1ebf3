// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <gtest/gtest.h>

namespace tanist::cli {
namespace {

std::string every_byte() {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    return all;
}

TEST(Text, Utf8IsToldFromOtherBytes) {
    for (const auto* good : {"", "plain", "Größe", "漢字", "😀", "\x7f"}) EXPECT_TRUE(is_utf8(good)) << good;
    EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
    EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));  // U+10FFFF
    for (const auto* bad : {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe6\xbc", "a\xf0\x9f\x98"}) {
        EXPECT_FALSE(is_utf8(bad)) << to_base64(bad);
    }
}

TEST(Text, Base64ThereAndBack) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foo"), "Zm9v");
    const std::string all = every_byte();
    for (std::size_t size = 0; size <= all.size(); ++size) EXPECT_EQ(from_base64(to_base64(all.substr(0, size))), all.substr(0, size));
    for (const auto* bad : {"Z", "Zg", "Zg=", "Z===", "Zm9v=", "Zm 9", "Zh==", "Zm=v"}) EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
}

TEST(Text, EscapesThereAndBack) {
    EXPECT_EQ(escape("a\tb\nc\r\\"), "a\\tb\\nc\\r\\\\");
    EXPECT_EQ(escape("Größe"), "Größe");
    EXPECT_EQ(escape("\x01\xff"), "\\x01\\xff");
    const std::string all = every_byte() + "漢" + every_byte();
    EXPECT_EQ(unescape(escape(all)), all);
    EXPECT_EQ(unescape("\\x4A"), "J");
    for (const auto* bad : {"\\", "\\q", "\\x1", "\\xg0"}) EXPECT_EQ(unescape(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace tanist::cli
