// SPDX-License-Identifier: Apache-2.0
#include "protocol/resp_encoder.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace tanist::protocol {
namespace {

using Write = std::function<void(RespEncoder&)>;

std::string encoded(RespVersion version, const Write& write) {
    std::string out;
    RespEncoder encoder(out, version);
    write(encoder);
    return out;
}

struct Case {
    std::string_view what;
    Write write;
    std::string resp2, resp3;
};

TEST(RespEncoder, WritesEachTypeAsRedisDoesInBothVersions) {
    const double inf = std::numeric_limits<double>::infinity();
    const std::vector<Case> cases = {
        {"ok", [](auto& e) { e.ok(); }, "+OK\r\n", "+OK\r\n"},
        {"simple", [](auto& e) { e.simple("PONG"); }, "+PONG\r\n", "+PONG\r\n"},
        {"error", [](auto& e) { e.error("ERR no\r\nsuch"); }, "-ERR no  such\r\n", "-ERR no  such\r\n"},
        {"integer", [](auto& e) { e.integer(-42); }, ":-42\r\n", ":-42\r\n"},
        {"least", [](auto& e) { e.integer(INT64_MIN); }, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
        {"bulk", [](auto& e) { e.bulk(std::string_view("a\r\n\0b", 5)); }, std::string("$5\r\na\r\n\0b\r\n", 11),
         std::string("$5\r\na\r\n\0b\r\n", 11)},
        {"empty bulk", [](auto& e) { e.bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
        {"null", [](auto& e) { e.null(); }, "$-1\r\n", "_\r\n"},
        {"null array", [](auto& e) { e.null_array(); }, "*-1\r\n", "_\r\n"},
        {"array", [](auto& e) { e.array(3); }, "*3\r\n", "*3\r\n"},
        {"map", [](auto& e) { e.map(3); }, "*6\r\n", "%3\r\n"},
        {"set", [](auto& e) { e.set(3); }, "*3\r\n", "~3\r\n"},
        {"push", [](auto& e) { e.push(3); }, "*3\r\n", ">3\r\n"},
        {"double", [](auto& e) { e.number(3.25); }, "$4\r\n3.25\r\n", ",3.25\r\n"},
        {"double of an integer", [](auto& e) { e.number(10); }, "$2\r\n10\r\n", ",10\r\n"},
        {"inexact double", [](auto& e) { e.number(0.1); }, "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n"},
        {"infinite", [inf](auto& e) { e.number(-inf); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
        {"not a number", [](auto& e) { e.number(std::numeric_limits<double>::quiet_NaN()); }, "$3\r\nnan\r\n", ",nan\r\n"},
        {"true", [](auto& e) { e.boolean(true); }, ":1\r\n", "#t\r\n"},
        {"false", [](auto& e) { e.boolean(false); }, ":0\r\n", "#f\r\n"},
        {"big number", [](auto& e) { e.big_number("12345678901234567890"); }, "$20\r\n12345678901234567890\r\n",
         "(12345678901234567890\r\n"},
        {"verbatim", [](auto& e) { e.verbatim("txt", "hi\r\n"); }, "$4\r\nhi\r\n\r\n", "=8\r\ntxt:hi\r\n\r\n"},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(encoded(RespVersion::k2, one.write), one.resp2) << one.what;
        EXPECT_EQ(encoded(RespVersion::k3, one.write), one.resp3) << one.what;
    }
}

TEST(RespEncoder, AppendsToWhatIsThere) {
    std::string out = "+OK\r\n";
    RespEncoder(out, RespVersion::k2).bulk("x");
    EXPECT_EQ(out, "+OK\r\n$1\r\nx\r\n");
}

}  // namespace
}  // namespace tanist::protocol
