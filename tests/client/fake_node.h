// SPDX-License-Identifier: Apache-2.0
// A cluster in the test's own process: nodes that speak the native protocol over real sockets, share one map instead of a log, and
// answer as a test tells them to where it does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/client_message.h"

namespace tanist::client::testing {

namespace native = protocol::native;

struct Silent {};  ///< no answer, ever
struct Reset {};   ///< the connection is reset
struct Held {
    native::Reply reply;
};  ///< answered at release(), the last one first
using Answer = std::variant<native::Reply, Silent, Reset, Held>;
/// nullopt: as a healthy node would.
using Script = std::function<std::optional<Answer>(const native::Request&)>;

[[nodiscard]] native::Reply error_reply(native::Code code, std::string message = "scripted");

class FakeNode;

/// What its nodes share. Everything is safe to call from any thread.
class FakeCluster {
public:
    /// Nodes 1 … `nodes`; the first is the master of epoch 1.
    explicit FakeCluster(unsigned nodes = 3);
    ~FakeCluster();

    [[nodiscard]] FakeNode& node(unsigned id) { return *nodes_.at(id - 1); }
    [[nodiscard]] std::vector<std::string> addresses() const;

    /// A new epoch; master 0: none.
    void promote(unsigned master);
    void set_state(unsigned id, native::NodeState state);
    [[nodiscard]] native::Topology topology() const;
    void expire_sessions();

    [[nodiscard]] std::optional<std::string> value(const std::string& key) const;
    void set_value(const std::string& key, const std::string& value);
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::uint64_t lsn() const;
    /// How often a command has really been executed.
    [[nodiscard]] std::uint64_t executed() const;

    /// What node `id` answers when nothing is scripted.
    [[nodiscard]] native::Reply execute(unsigned id, const native::Request& request);

private:
    struct Stored {
        std::string value;
        std::uint64_t version = 0;
    };
    [[nodiscard]] native::Topology topology_locked() const;
    [[nodiscard]] native::Reply refuse_locked(native::Code code, std::string message) const;
    [[nodiscard]] native::Reply read_locked(const native::Request& request) const;
    [[nodiscard]] native::Reply write_locked(const native::Request& request);
    [[nodiscard]] native::Reply change_locked(const native::RequestBody& body);
    [[nodiscard]] native::Value value_locked(const std::string& key) const;

    mutable std::mutex mutex_;
    std::uint64_t epoch_ = 1, lsn_ = 1, executed_ = 0;
    unsigned master_ = 1;
    std::map<unsigned, native::NodeState> states_;
    std::map<std::string, Stored> state_;
    std::map<std::uint64_t, std::map<std::uint64_t, native::Reply>> sessions_;
    std::vector<std::unique_ptr<FakeNode>> nodes_;
};

class FakeNode {
public:
    FakeNode(FakeCluster& cluster, unsigned id);
    ~FakeNode();

    [[nodiscard]] const std::string& address() const { return address_; }

    void script(Script script);
    /// Its port refuses connections, and those that exist are reset; start() listens on the same port again.
    void stop();
    void start();
    /// Takes what comes and says nothing, not even to a Hello, until resume(), which answers it all.
    void pause();
    void resume();
    void release();

    /// Reads and writes that have arrived so far; `arrived` also counts those of Hello, Status and sessions.
    [[nodiscard]] std::vector<native::Request> requests() const;
    [[nodiscard]] std::size_t connections() const;
    [[nodiscard]] std::size_t count(const std::function<bool(const native::Request&)>& which) const;

private:
    class Connection;
    class Loop;
    friend class Connection;
    [[nodiscard]] std::optional<Answer> scripted(const native::Request& request);

    FakeCluster& cluster_;
    const unsigned id_;
    std::string address_;
    mutable std::mutex mutex_;
    Script script_;
    std::vector<native::Request> requests_;
    std::size_t connections_ = 0;
    std::unique_ptr<Loop> loop_;
};

/// Polls `condition` until it holds; false after ten seconds.
[[nodiscard]] bool await(const std::function<bool()>& condition);

}  // namespace tanist::client::testing
