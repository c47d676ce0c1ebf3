// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace tanist {
namespace {

/// Bit by bit, as the polynomial says.
std::uint32_t by_definition(Bytes bytes) {
    std::uint32_t crc = ~0U;
    for (const std::byte byte : bytes) {
        crc ^= static_cast<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78 : 0);
    }
    return ~crc;
}

TEST(Crc32c, KnownValues) {  // RFC 3720, appendix B.4
    EXPECT_EQ(crc32c(as_bytes("")), 0U);
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
    EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8a9136aaU);
    EXPECT_EQ(crc32c(as_bytes(std::string(32, '\xff'))), 0x62a8ab43U);
}

TEST(Crc32c, OfEveryLengthAndAlignmentIsTheDefinition) {
    std::string text;
    Random random(1);
    for (int i = 0; i < 9000; ++i) text += static_cast<char>(random.next());
    for (std::size_t size = 0; size < 70; ++size) {
        for (std::size_t start = 0; start < 9; ++start) {
            const Bytes bytes = as_bytes(text).subspan(start, size);
            ASSERT_EQ(crc32c(bytes), by_definition(bytes)) << size << " at " << start;
        }
    }
    for (const std::size_t size : {768U, 3071U, 3072U, 3073U, 8999U})
        ASSERT_EQ(crc32c(as_bytes(text).subspan(1, size)), by_definition(as_bytes(text).subspan(1, size)));
}

TEST(Crc32c, ContinuesFromASeed) {
    const Bytes bytes = as_bytes("the quick brown fox");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) EXPECT_EQ(crc32c(bytes.subspan(cut), crc32c(bytes.first(cut))), crc32c(bytes));
}

}  // namespace
}  // namespace tanist
