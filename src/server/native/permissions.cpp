// SPDX-License-Identifier: Apache-2.0
#include "server/native/permissions.h"

#include <initializer_list>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ensure.h"

namespace tanist::server {
namespace {

using namespace protocol;

/// Asks about one request after the other; knows the first denial. One function a kind of request: a new kind does not compile without.
class Asker {
public:
    explicit Asker(const resp::AclUser& user) : user_(user) {}

    void operator()(const native::Get& get) { ask({"GET", get.key}); }
    void operator()(const native::GetMany& get) {
        std::vector<std::string_view> words{"MGET"};
        words.insert(words.end(), get.keys.begin(), get.keys.end());
        ask(words);
    }
    void operator()(const native::Put& put) { ask({"SET", put.key, ""}); }
    void operator()(const native::Delete& del) { ask({"DEL", del.key}); }
    void operator()(const native::Increment& increment) { ask({"INCRBY", increment.key, ""}); }
    void operator()(const native::CompareAndSet& set) { ask({"TANIST.CASV", set.key, "", ""}); }
    void operator()(const native::CompareAndDelete& del) { ask({"TANIST.CADV", del.key, ""}); }
    void operator()(const native::Scan&) { ask({"SCAN", ""}); }
    void operator()(const native::Batch& batch) {
        for (const native::Condition& condition : batch.conditions) ask({"GET", condition.key});  // its answer tells the value
        for (const native::Command& command : batch.commands) std::visit(*this, command);
    }
    void operator()(const native::Switchover&) { ask({"FAILOVER"}); }
    // Of the connection and its session, and what clients need to follow the cluster.
    void operator()(const native::Hello&) {}
    void operator()(const native::StatusRequest&) {}
    void operator()(const native::RegisterSession&) {}
    void operator()(const native::KeepSession&) {}
    void operator()(const native::CloseSession&) {}

    [[nodiscard]] std::optional<resp::Denial>& denial() { return denial_; }

private:
    void ask(std::initializer_list<std::string_view> words) { ask(std::vector<std::string_view>(words)); }
    void ask(const std::vector<std::string_view>& words) {
        if (denial_) return;
        const resp::CommandTable::Row* row = resp::client_port_commands().find(words[0]);
        ENSURE(row != nullptr && resp::takes(*row->command, words.size()));
        denial_ = user_.deny(*row, words);
    }

    const resp::AclUser& user_;
    std::optional<resp::Denial> denial_;
};

}  // namespace

std::optional<resp::Denial> deny(const resp::AclUser& user, const native::RequestBody& request) {
    if (user.own.all_commands && user.own.all_keys) return std::nullopt;
    Asker asker(user);
    std::visit([&](const auto& body) { asker(body); }, request);
    return std::move(asker.denial());
}

}  // namespace tanist::server
