// SPDX-License-Identifier: Apache-2.0
// Passwords and users: the rules by themselves, and over the ports.
#include "server/resp/acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "server/resp/sha256.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using resp::Acl;
using resp::AclUser;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Sha256, GivesTheDigestsOfTheStandard) {
    EXPECT_EQ(resp::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(resp::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(resp::sha256_hex(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

class AclTest : public ::testing::Test {
protected:
    std::string set(const std::vector<std::string_view>& rules) {
        const Status set = acl_.set_user("u", rules);
        return set ? acl_.find("u")->line() : set.error().message;
    }
    bool may(const std::vector<std::string_view>& words) {
        return !acl_.find("u")->refuse(*resp::client_port_commands().find(resp::Arguments(words)), words);
    }
    Acl acl_{{&resp::client_port_commands()}};
};

TEST_F(AclTest, RulesAddUpInTheirOrderAndAreToldAsRedisTellsThem) {
    EXPECT_EQ(set({}), "user u off resetchannels -@all");
    EXPECT_EQ(
        set({"on", ">x", "~a*", "+get", "+client|id", "-@dangerous"}),
        "user u on #2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 ~a* resetchannels -@all +get +client|id -@dangerous");
    EXPECT_EQ(set({"reset", "nopass", "allkeys", "&news:*", "allcommands", "-set"}),
              "user u off nopass ~* resetchannels &news:* +@all -set");
    EXPECT_EQ(set({"resetpass", "resetkeys", "%R~r*", "nocommands", "+@string"}), "user u off %R~r* resetchannels &news:* -@all +@string");
}

TEST_F(AclTest, AWrongRuleIsNamedAndChangesNothing) {
    set({"on", "+get"});
    EXPECT_EQ(set({"off", "+nosuch"}), "Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL");
    EXPECT_EQ(set({"+@nosuch"}), "Error in ACL SETUSER modifier '+@nosuch': Unknown command or category name in ACL");
    EXPECT_EQ(set({"what"}), "Error in ACL SETUSER modifier 'what': Syntax error");
    EXPECT_THAT(set({"#12"}), HasSubstr("must be exactly 64 characters"));
    EXPECT_THAT(set({"<nothing"}), HasSubstr("does not exist"));
    EXPECT_EQ(acl_.find("u")->line(), "user u on resetchannels -@all +get");
}

TEST_F(AclTest, CommandsKeysAndChannelsAreChecked) {
    set({"on", "nopass", "~a*", "%R~r*", "&c*", "+@all", "-config", "+config|get", "-@dangerous"});
    EXPECT_TRUE(may({"GET", "a1"}));
    EXPECT_TRUE(may({"SET", "a1", "v"}));
    EXPECT_FALSE(may({"GET", "b"}));
    EXPECT_TRUE(may({"GET", "r1"}));
    EXPECT_FALSE(may({"SET", "r1", "v"}));
    EXPECT_FALSE(may({"DEL", "a1", "b"}));
    EXPECT_FALSE(may({"CONFIG", "GET", "x"}));  // @dangerous, taken away last
    EXPECT_TRUE(may({"SUBSCRIBE", "c1"}));
    EXPECT_FALSE(may({"SUBSCRIBE", "c1", "d"}));
    EXPECT_TRUE(may({"PSUBSCRIBE", "c*"}));
    EXPECT_FALSE(may({"PSUBSCRIBE", "c1*"}));
    EXPECT_TRUE(may({"CLIENT", "ID"}));
    EXPECT_FALSE(may({"CLIENT", "LIST"}));
    EXPECT_FALSE(may({"KEYS", "a*"}));
    EXPECT_FALSE(may({"FLUSHALL"}));
}

TEST_F(AclTest, WhatIsWrittenReadsBackTheSame) {
    set({"on", ">x", "~a*", "+@string", "-get"});
    const std::string text = acl_.text();
    Acl other{{&resp::client_port_commands()}};
    ASSERT_TRUE(other.read(text));
    EXPECT_EQ(other.text(), text);
    EXPECT_THAT(other.read("user x on\nuser y nonsense\n").error().message, StartsWith("line 2: "));
    EXPECT_EQ(other.text(), text);
}

TEST_F(AclTest, APasswordIsNeededOnlyWhereOneIsSet) {
    EXPECT_TRUE(acl_.is_open());
    acl_.require_password("secret");
    EXPECT_FALSE(acl_.is_open());
    EXPECT_EQ(acl_.authenticate("default", "wrong"), nullptr);
    EXPECT_EQ(acl_.authenticate("nobody", "secret"), nullptr);
    EXPECT_NE(acl_.authenticate("default", "secret"), nullptr);
    EXPECT_FALSE(acl_.delete_user("default"));
}

// -- over the ports -----------------------------------------------------------------------------------------------------------------

class WithPassword : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(eventually([&] {
            RespClient client = cluster_.resp(1);
            return client.call({"AUTH", "secret"}) == "+OK\r\n" && client.call({"SET", "a", "1"}) == "+OK\r\n";
        }));
    }
    TemporaryDirectory directory_;
    Cluster cluster_{1, [this](config::Config& config) {
                         std::ofstream(directory_.path() / "password") << "secret\n";
                         config.security.requirepass_file.path = directory_.path() / "password";
                         config.security.acl_file.path = directory_.path() / "users";
                     }};
};

TEST_F(WithPassword, NothingIsAnsweredBeforeIt) {
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"GET", "a"}), "-NOAUTH Authentication required.\r\n");
    EXPECT_EQ(client.call({"PING"}), "-NOAUTH Authentication required.\r\n");
    EXPECT_THAT(client.call({"HELLO", "3"}), StartsWith("-NOAUTH HELLO must be called with the client already authenticated"));
    EXPECT_EQ(client.call({"AUTH", "wrong"}), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    EXPECT_THAT(client.call({"HELLO", "3", "AUTH", "default", "secret"}), StartsWith("%7\r\n"));
    EXPECT_EQ(client.call({"GET", "a"}), "$1\r\n1\r\n");
    TestSocket flood(cluster_.client_port(1));
    flood.send("*11\r\n");
    EXPECT_EQ(flood.receive_all(), "-ERR Protocol error: unauthenticated multibulk length\r\n");

    RespClient sentinel(cluster_.server(1).sentinel_port());
    EXPECT_EQ(sentinel.call({"SENTINEL", "MASTERS"}), "-NOAUTH Authentication required.\r\n");
    EXPECT_EQ(sentinel.call({"AUTH", "default", "secret"}), "+OK\r\n");
    EXPECT_THAT(sentinel.call({"SENTINEL", "MASTERS"}), StartsWith("*1\r\n"));
}

TEST_F(WithPassword, UsersDoWhatTheirRulesSayAndAreKeptInTheFile) {
    RespClient admin = cluster_.resp(1), user = cluster_.resp(1);
    admin.call({"AUTH", "secret"});
    EXPECT_EQ(admin.call({"ACL", "SETUSER", "bob", "on", ">pw", "~a*", "+get", "+acl|whoami"}), "+OK\r\n");
    EXPECT_EQ(user.call({"AUTH", "bob", "pw"}), "+OK\r\n");
    EXPECT_EQ(user.call({"ACL", "WHOAMI"}), "$3\r\nbob\r\n");
    EXPECT_EQ(user.call({"GET", "a"}), "$1\r\n1\r\n");
    EXPECT_EQ(user.call({"GET", "b"}), "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n");
    EXPECT_EQ(user.call({"SET", "a", "2"}), "-NOPERM this user has no permissions to run the 'set' command\r\n");
    EXPECT_EQ(user.call({"CLIENT", "LIST"}), "-NOPERM this user has no permissions to run the 'client|list' command\r\n");
    EXPECT_EQ(admin.call({"ACL", "USERS"}), "*2\r\n$3\r\nbob\r\n$7\r\ndefault\r\n");
    EXPECT_THAT(admin.call({"ACL", "GETUSER", "bob"}), AllOf(HasSubstr("$3\r\n~a*\r\n"), HasSubstr("-@all +get +acl|whoami")));
    EXPECT_EQ(admin.call({"ACL", "GETUSER", "nobody"}), "$-1\r\n");
    EXPECT_THAT(admin.call({"ACL", "CAT", "pubsub"}), HasSubstr("publish"));
    EXPECT_THAT(admin.call({"ACL", "GENPASS", "5"}), StartsWith("$2\r\n"));
    EXPECT_THAT(admin.call({"CONFIG", "GET", "*"}), Not(HasSubstr("secret")));
    EXPECT_EQ(admin.call({"ACL", "SAVE"}), "+OK\r\n");
    EXPECT_EQ(admin.call({"ACL", "DELUSER", "bob"}), ":1\r\n");
    EXPECT_EQ(user.reply(), "");
    EXPECT_EQ(cluster_.resp(1).call({"AUTH", "bob", "pw"}), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    EXPECT_EQ(admin.call({"ACL", "LOAD"}), "+OK\r\n");
    EXPECT_EQ(cluster_.resp(1).call({"AUTH", "bob", "pw"}), "+OK\r\n");
}

TEST_F(WithPassword, ItCanBeChangedWhileTheNodeRuns) {
    RespClient admin = cluster_.resp(1);
    admin.call({"AUTH", "secret"});
    EXPECT_THAT(admin.call({"CONFIG", "SET", "requirepass", "other"}), HasSubstr("security.requirepass"));  // the file says what it is
    EXPECT_EQ(admin.call({"ACL", "SETUSER", "default", "resetpass", ">other"}), "+OK\r\n");
    EXPECT_EQ(cluster_.resp(1).call({"AUTH", "other"}), "+OK\r\n");
}

}  // namespace
}  // namespace tanist::server::testing
