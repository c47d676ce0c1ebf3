// SPDX-License-Identifier: Apache-2.0
// Users in the native protocol: who comes in, and what each request needs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/native/permissions.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using namespace protocol;
using native::Code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Every request that there is, and the rules that it needs.
struct Needed {
    native::RequestBody request;
    std::vector<std::string_view> rules;
};
std::vector<Needed> all_requests() {
    return {{native::Hello{}, {}},
            {native::Get{"k"}, {"+get", "%R~k"}},
            {native::Put{"k", "v"}, {"+set", "%W~k"}},
            {native::Delete{"k"}, {"+del", "%W~k"}},
            {native::CompareAndSet{"k", native::Absent{}, "v"}, {"+tanist.casv", "~k"}},
            {native::Increment{"k", 1}, {"+incrby", "~k"}},
            {native::Scan{}, {"+scan"}},
            {native::Batch{{{"c", native::Exists{}}}, {native::Put{"k", "v"}}}, {"+get", "%R~c", "+set", "%W~k"}},
            {native::StatusRequest{}, {}},
            {native::RegisterSession{}, {}},
            {native::KeepSession{}, {}},
            {native::CloseSession{}, {}},
            {native::GetMany{{"k", "l"}}, {"+mget", "%R~k", "%R~l"}},
            {native::CompareAndDelete{"k", native::ValueIs{"v"}}, {"+tanist.cadv", "~k"}},
            {native::Switchover{}, {"+failover"}}};
}

TEST(NativePermissions, EveryRequestNeedsJustItsRules) {
    const auto requests = all_requests();
    ASSERT_EQ(requests.size(), std::variant_size_v<native::RequestBody>);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        ASSERT_EQ(requests[i].request.index(), i) << "one of each kind, in their order";
        for (std::size_t left_out = 0; left_out <= requests[i].rules.size(); ++left_out) {
            auto rules = requests[i].rules;
            const bool is_complete = left_out == rules.size();
            if (!is_complete) rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(left_out));
            resp::Acl acl({&resp::client_port_commands()});
            ASSERT_TRUE(acl.set_user("u", rules));
            EXPECT_EQ(deny(*acl.find("u"), requests[i].request).has_value(), !is_complete) << "request " << i << ", rule " << left_out;
        }
    }
}

class NativeAuth : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(eventually([&] {
            RespClient admin = cluster_.resp(1);
            admin.call({"AUTH", "secret"});
            return admin.call({"MSET", "a1", "x", "a2", "y", "b1", "z"}) == "+OK\r\n" &&
                   admin.call({"ACL", "SETUSER", "bob", "on", ">pw", "~a*", "+get", "+scan", "+set"}) == "+OK\r\n";
        }));
    }
    /// A connection on which Hello has been said, and what it was answered.
    std::pair<NativeClient, native::Reply> hello(std::string user, std::string password) {
        NativeClient client(cluster_.client_port(1), false);
        client.socket().send(kClientPreamble);
        native::Reply reply = client.call({.body = native::Hello{.user = std::move(user), .password = std::move(password)}});
        return {std::move(client), std::move(reply)};
    }
    Cluster cluster_{1, [](config::Config& config) { config.security.requirepass.text = "secret"; }};
};

TEST_F(NativeAuth, NobodyComesInWithoutAPassword) {
    EXPECT_EQ(error_code(hello("", "").second), Code::kUnauthenticated);
    EXPECT_EQ(error_code(hello("", "wrong").second), Code::kUnauthenticated);
    EXPECT_EQ(error_code(hello("nobody", "secret").second), Code::kUnauthenticated);
    EXPECT_TRUE(std::holds_alternative<native::HelloReply>(hello("", "secret").second.body));
    EXPECT_TRUE(std::holds_alternative<native::HelloReply>(hello("bob", "pw").second.body));

    NativeClient rude(cluster_.client_port(1), false);
    rude.socket().send(kClientPreamble);
    EXPECT_EQ(error_code(rude.call(get("a1"))), Code::kInvalidRequest);
    NativeClient large(cluster_.client_port(1), false);
    large.socket().send(std::string(kClientPreamble) + std::string("\x01\x00\x01\x00", 4));
    const auto refused = large.reply();
    ASSERT_TRUE(refused);
    EXPECT_EQ(error_code(*refused), Code::kTooLarge);
}

TEST_F(NativeAuth, AUserMayDoWhatItsRulesSay) {
    auto [bob, reply] = hello("bob", "pw");
    EXPECT_EQ(std::get<native::Value>(bob.call(get("a1")).body).value, "x");
    const native::Reply denied = bob.call(get("b1"));
    EXPECT_EQ(error_code(denied), Code::kNotPermitted);
    EXPECT_THAT(std::get<native::ErrorReply>(denied.body).message, HasSubstr("'b1' key"));
    EXPECT_EQ(error_code(bob.call(put("a3", "v"))), std::nullopt);
    EXPECT_EQ(error_code(bob.call({.body = native::Delete{"a3"}})), Code::kNotPermitted);
    EXPECT_EQ(error_code(bob.call({.body = native::Switchover{}})), Code::kNotPermitted);
    EXPECT_EQ(error_code(bob.call({.body = native::StatusRequest{}})), std::nullopt);

    std::vector<std::string> keys;
    const native::Reply scanned = bob.call({.body = native::Scan{}});
    for (const auto& row : std::get<native::Page>(scanned.body).rows) keys.push_back(row.key);
    EXPECT_THAT(keys, ElementsAre("a1", "a2", "a3"));

    RespClient admin = cluster_.resp(1);
    admin.call({"AUTH", "secret"});
    EXPECT_THAT(admin.call({"ACL", "LOG"}), HasSubstr("failover"));
    EXPECT_EQ(admin.call({"ACL", "SETUSER", "bob", "-get"}), "+OK\r\n");
    EXPECT_EQ(error_code(bob.call(get("a1"))), Code::kNotPermitted) << "the new rules hold at once";
    EXPECT_EQ(admin.call({"ACL", "DELUSER", "bob"}), ":1\r\n");
    EXPECT_FALSE(bob.reply()) << "its connection has ended";
}

}  // namespace
}  // namespace tanist::server::testing
