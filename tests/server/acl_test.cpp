// SPDX-License-Identifier: Apache-2.0
// Passwords and users: the rules by themselves, and over the ports.
#include "server/resp/acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "server/crypto.h"
#include "server/resp/acl_log.h"
#include "server/resp/key_rights.h"
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
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

class AclTest : public ::testing::Test {
protected:
    std::string set(const std::vector<std::string_view>& rules) {
        const Status set = acl_.set_user("u", rules);
        return set ? acl_.find("u")->line() : set.error().message;
    }
    bool may(const std::vector<std::string_view>& words) {
        return !acl_.find("u")->deny(*resp::client_port_commands().find(resp::Arguments(words)), words);
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

TEST_F(AclTest, SelectorsAreAlternatives) {
    EXPECT_EQ(set({"on", "nopass", "(+@write", "~w:*)", "(+get ~r:*)"}),
              "user u on nopass resetchannels -@all (~w:* resetchannels -@all +@write) (~r:* resetchannels -@all +get)");
    EXPECT_TRUE(may({"SET", "w:1", "v"}));
    EXPECT_TRUE(may({"GET", "r:1"}));
    EXPECT_FALSE(may({"GET", "w:1"}));
    EXPECT_FALSE(may({"SET", "r:1", "v"}));
    EXPECT_EQ(set({"("}), "Unmatched parenthesis in acl selector starting at '('.");
    EXPECT_EQ(set({"(on)"}), "Error in ACL SETUSER modifier '(on)': Syntax error");
    EXPECT_EQ(set({"(~a))"}), "Error in ACL SETUSER modifier '(~a))': Syntax error");
    EXPECT_EQ(set({"clearselectors"}), "user u on nopass resetchannels -@all");
}

TEST_F(AclTest, KeysAreReadOrWrittenAsTheCommandDoes) {
    EXPECT_EQ(set({"on", "+@all", "%R~r*", "%W~w*", "%RW~b*"}), "user u on %R~r* %W~w* ~b* resetchannels +@all");
    EXPECT_TRUE(may({"SET", "w", "v"}));
    EXPECT_FALSE(may({"SET", "w", "v", "GET"}));
    EXPECT_FALSE(may({"SET", "r", "v"}));
    EXPECT_TRUE(may({"SET", "b", "v", "GET"}));
    EXPECT_TRUE(may({"COPY", "r", "w"}));
    EXPECT_FALSE(may({"COPY", "w", "r"}));
    EXPECT_FALSE(may({"RENAME", "r", "w"}));
    EXPECT_TRUE(may({"BITOP", "AND", "w", "r"}));
    EXPECT_FALSE(may({"BITOP", "AND", "r", "w"}));
    EXPECT_TRUE(may({"BITFIELD", "r", "GET", "u4", "0"}));
    EXPECT_FALSE(may({"BITFIELD", "r", "SET", "u4", "0", "1"}));
    for (const std::string_view key : {"r", "w", "b"}) EXPECT_TRUE(may({"EXISTS", key})) << key;
    EXPECT_FALSE(may({"EXISTS", "n"}));
    EXPECT_FALSE(may({"TANIST.CASV", "w", "1", "v"}));
    EXPECT_EQ(set({"%~x"}), "Error in ACL SETUSER modifier '%~x': Syntax error");
    EXPECT_EQ(set({"~a b"}), "Error in ACL SETUSER modifier '~a b': Syntax error");
}

TEST(KeyRights, AreKnownOfEveryCommandThatHasKeys) {
    for (const resp::CommandTable::Row& row : resp::client_port_commands().all()) {
        if (row.command->keys.first == 0) continue;
        const std::vector<std::string_view> words(12, "x");
        for (const std::size_t place : {0, 1}) {
            const resp::KeyRights rights = resp::key_rights(*row.command, words, place);
            EXPECT_TRUE(!row.has(resp::kWrite) || rights.write || rights.read) << row.name;
            EXPECT_TRUE(row.has(resp::kWrite) || !rights.write) << row.name << ": what does not write needs no right to";
        }
    }
}

TEST_F(AclTest, ACommandMayBeAllowedWithOneFirstWord) {
    EXPECT_EQ(set({"on", "allkeys", "+select|0"}), "user u on ~* resetchannels -@all +select|0");
    EXPECT_TRUE(may({"SELECT", "0"}));
    EXPECT_FALSE(may({"SELECT", "1"}));
    EXPECT_EQ(set({"+config|get|appendonly"}),
              "Error in ACL SETUSER modifier '+config|get|appendonly': Allowing first-arg of a subcommand is not supported");
    EXPECT_EQ(set({"+config|nosuch"}), "Error in ACL SETUSER modifier '+config|nosuch': Unknown command or category name in ACL");
    EXPECT_EQ(set({"-select|0"}), "Error in ACL SETUSER modifier '-select|0': Unknown command or category name in ACL");
}

TEST_F(AclTest, WhatDebugMayDoIsNamedByAnyWord) {  // of a file that Redis has written
    EXPECT_EQ(set({"on", "+debug|segfault"}), "user u on resetchannels -@all +debug|segfault");
    EXPECT_FALSE(may({"DEBUG", "SLEEP", "0"}));
}

TEST_F(AclTest, AFileWithoutTheDefaultUserLeavesItAsItIs) {
    acl_.require_password("secret");
    ASSERT_TRUE(acl_.read("user bob on >pw +@all ~*\n"));
    EXPECT_FALSE(acl_.is_open());
    EXPECT_NE(acl_.authenticate("default", "secret"), nullptr);
    EXPECT_THAT(acl_.read("user a on\nuser a off\n").error().message, HasSubstr("Duplicate user 'a' found"));
}

TEST(AclLog, CountsWhatIsTheSame) {
    resp::AclLog log;
    for (int i = 0; i < 3; ++i) log.add({.reason = "key", .context = "toplevel", .object = "k", .user = "u", .client = "", .at_ms = 5});
    log.add({.reason = "key", .context = "toplevel", .object = "k", .user = "u", .client = "", .at_ms = 60'006});
    ASSERT_EQ(log.events().size(), 2u);
    EXPECT_EQ(log.events().back().count, 3u);
    log.events_max = 2;
    log.add({.reason = "auth", .context = "toplevel", .object = "AUTH", .user = "u", .client = ""});
    EXPECT_EQ(log.events().size(), 2u);
    EXPECT_EQ(log.events().front().reason, "auth");
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
                         std::ofstream(directory_.path() + "/password") << "secret\n";
                         config.security.requirepass_file.path = directory_.path() + "/password";
                         config.security.acl_file.path = directory_.path() + "/users";
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

TEST_F(WithPassword, WhatIsDeniedIsRemembered) {
    RespClient admin = cluster_.resp(1), user = cluster_.resp(1);
    admin.call({"AUTH", "secret"});
    EXPECT_EQ(admin.call({"ACL", "SETUSER", "bob", "on", ">pw", "~a*", "+get", "+multi", "+exec", "+incr"}), "+OK\r\n");
    EXPECT_THAT(user.call({"AUTH", "bob", "wrong"}), StartsWith("-WRONGPASS"));
    user.call({"AUTH", "bob", "pw"});
    EXPECT_THAT(user.call({"GET", "b"}), StartsWith("-NOPERM"));
    const std::string log = admin.call({"ACL", "LOG"});
    EXPECT_THAT(log, AllOf(HasSubstr("$6\r\nreason\r\n$3\r\nkey\r\n"), HasSubstr("$6\r\nobject\r\n$1\r\nb\r\n"),
                           HasSubstr("$8\r\nusername\r\n$3\r\nbob\r\n"), HasSubstr("$4\r\nauth\r\n")));
    EXPECT_EQ(admin.call({"ACL", "DRYRUN", "bob", "GET", "b"}), "$50\r\nThis user has no permissions to access the 'b' key\r\n");
    EXPECT_EQ(admin.call({"ACL", "DRYRUN", "bob", "GET", "a"}), "+OK\r\n");

    user.call({"MULTI"});
    EXPECT_EQ(user.call({"INCR", "a"}), "+QUEUED\r\n");
    EXPECT_EQ(user.call({"GET", "a"}), "+QUEUED\r\n");
    admin.call({"ACL", "SETUSER", "bob", "-get"});
    EXPECT_THAT(user.call({"EXEC"}), StartsWith("-EXECABORT Transaction discarded because of: NOPERM"));
    EXPECT_EQ(admin.call({"GET", "a"}), "$1\r\n1\r\n");  // nothing of it has run
    EXPECT_THAT(admin.call({"ACL", "LOG", "1"}), HasSubstr("$5\r\nmulti\r\n"));
    EXPECT_EQ(admin.call({"ACL", "LOG", "RESET"}), "+OK\r\n");
    EXPECT_EQ(admin.call({"ACL", "LOG"}), "*0\r\n");
}

// -- the users of a cluster -----------------------------------------------------------------------------------------------------------

class ClusterUsers : public ::testing::Test {
protected:
    void SetUp() override {
        master_ = cluster_.await_master();
        ASSERT_NE(master_, 0u);
    }
    bool lets_in(std::size_t node, const std::string& user, const std::string& password) {
        return cluster_.resp(node).call({"AUTH", user, password}) == "+OK\r\n";
    }
    Cluster cluster_{3};
    std::size_t master_ = 0;
};

TEST_F(ClusterUsers, AreTheSameOnAllNodesAndAfterAFailover) {
    RespClient admin = cluster_.resp(master_);
    EXPECT_EQ(admin.call({"ACL", "SETUSER", "bob", "on", ">pw", "~*", "+@all"}), "+OK\r\n");
    EXPECT_EQ(admin.call({"ACL", "SETUSER", "default", ">secret"}), "+OK\r\n");
    EXPECT_TRUE(lets_in(master_, "bob", "pw"));
    for (std::size_t node = 1; node <= 3; ++node) {
        EXPECT_TRUE(eventually([&] { return lets_in(node, "bob", "pw"); })) << node;
        EXPECT_TRUE(eventually([&] { return cluster_.resp(node).call({"PING"}) == "-NOAUTH Authentication required.\r\n"; })) << node;
    }
    const std::size_t slave = master_ % 3 + 1;
    RespClient on_slave = cluster_.resp(slave);
    EXPECT_EQ(on_slave.call({"AUTH", "secret"}), "+OK\r\n");
    EXPECT_THAT(on_slave.call({"ACL", "SETUSER", "eve", "on"}), StartsWith("-READONLY"));

    cluster_.kill(master_);
    const std::size_t next = [&] {
        std::size_t found = 0;
        static_cast<void>(eventually([&] {
            for (std::size_t node = 1; node <= 3; ++node) {
                if (node == master_) continue;
                RespClient client = cluster_.resp(node);
                client.call({"AUTH", "bob", "pw"});
                if (client.call({"SET", "k", "v"}) == "+OK\r\n") found = node;
            }
            return found != 0;
        }));
        return found;
    }();
    ASSERT_NE(next, 0u);
    RespClient again = cluster_.resp(next);
    EXPECT_EQ(again.call({"AUTH", "secret"}), "+OK\r\n");
    EXPECT_EQ(again.call({"ACL", "DELUSER", "bob"}), ":1\r\n");
    cluster_.start(master_);
    EXPECT_TRUE(eventually([&] { return !lets_in(master_, "bob", "pw"); })) << "gone while this node was down";
}

TEST_F(ClusterUsers, ConnectionsOfAUserThatIsDeletedEndOnEveryNode) {
    RespClient admin = cluster_.resp(master_);
    admin.call({"ACL", "SETUSER", "bob", "on", ">pw", "~*", "+@all", "allchannels"});
    const std::size_t slave = master_ % 3 + 1;
    ASSERT_TRUE(eventually([&] { return lets_in(slave, "bob", "pw"); }));
    RespClient bob = cluster_.resp(slave), listener = cluster_.resp(slave), self = cluster_.resp(master_);
    EXPECT_EQ(bob.call({"AUTH", "bob", "pw"}), "+OK\r\n");
    EXPECT_EQ(listener.call({"AUTH", "bob", "pw"}), "+OK\r\n");
    listener.call({"SUBSCRIBE", "news"});
    admin.call({"ACL", "SETUSER", "bob", "resetchannels"});
    EXPECT_EQ(listener.reply(), "") << "it may not listen any more";
    EXPECT_EQ(self.call({"AUTH", "bob", "pw"}), "+OK\r\n");
    EXPECT_EQ(self.call({"ACL", "DELUSER", "bob"}), ":1\r\n") << "whoever deletes itself is answered";
    EXPECT_EQ(self.reply(), "");
    EXPECT_EQ(bob.reply(), "");
}

TEST_F(ClusterUsers, ChangesMadeAtOnceAreAllThere) {
    std::vector<RespClient> admins;
    for (int i = 0; i < 8; ++i) admins.push_back(cluster_.resp(master_));
    for (int i = 0; i < 8; ++i)
        admins[static_cast<std::size_t>(i)].send({"ACL", "SETUSER", "u", "+get", std::string("~") + static_cast<char>('a' + i)});
    for (RespClient& admin : admins) EXPECT_EQ(admin.reply(), "+OK\r\n");
    const std::string user = admins[0].call({"ACL", "GETUSER", "u"});
    for (int i = 0; i < 8; ++i) EXPECT_THAT(user, HasSubstr(std::string("~") + static_cast<char>('a' + i)));
}

TEST(ConfiguredUsers, BecomeTheClustersAndThenTheConfigurationCountsNoMore) {
    std::string password = "secret";
    Cluster cluster(1, [&](config::Config& config) { config.security.requirepass.text = password; });
    const auto lets_in = [&](const std::string& with) { return cluster.resp(1).call({"AUTH", with}) == "+OK\r\n"; };
    ASSERT_TRUE(eventually([&] {
        RespClient admin = cluster.resp(1);
        admin.call({"AUTH", "secret"});
        return admin.call({"SET", "a", "1"}) == "+OK\r\n" && admin.call({"ACL", "SETUSER", "bob"}) == "+OK\r\n";
    }));
    cluster.kill(1);
    password = "other";
    cluster.start(1);
    EXPECT_TRUE(eventually([&] { return lets_in("secret"); }));
    EXPECT_FALSE(lets_in("other"));

    config::Config changed = cluster.config(1);  // while it runs, the password is changed for the cluster
    changed.security.requirepass.text = "third";
    cluster.server(1).reload(changed);
    EXPECT_TRUE(eventually([&] { return lets_in("third"); }));
    EXPECT_FALSE(lets_in("secret"));
    RespClient admin = cluster.resp(1);
    admin.call({"AUTH", "third"});
    EXPECT_EQ(admin.call({"CONFIG", "SET", "requirepass", "fourth"}), "+OK\r\n");
    EXPECT_TRUE(lets_in("fourth"));
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
