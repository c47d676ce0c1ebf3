// SPDX-License-Identifier: Apache-2.0
// The client library: finds the cluster from any of its nodes, sends writes to the master and reads to the slaves, follows
// failovers, and never executes a write twice.
//
//     #include <tanist/client.h>
//     using tanist::client::Client;
//
//     auto client = Client::connect({.seeds = {"127.0.0.1:7401", "127.0.0.1:7402"}});
//     if (!client) return fail(client.error().message);
//     client->put("greeting", "hello");
//     if (auto value = client->get("greeting"); value && *value) std::cout << (*value)->bytes << '\n';
//
// A failure is a value, never an exception: Result<T> is a tl::expected<T, Error>, and Error::outcome tells whether a write that
// failed may have been executed (tanist/error.h). What can be asked, and what comes back, is in tanist/requests.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tanist/error.h"
#include "tanist/requests.h"

namespace tanist::client {

struct Options {
    /// Client addresses, "host:port", of one node or several: each of them knows the others.
    std::vector<std::string> seeds = {"127.0.0.1:7401"};
    /// When not empty, nodes of a cluster with another name are refused.
    std::string cluster_name;
    /// For the nodes' logs; at most 256 bytes.
    std::string client_name = "tanist-c++";
    /// Where the cluster has users; empty: the user "default". They travel in the clear.
    std::string user;
    std::string password;
    /// When not empty, in place of `password`: its first line, read by connect().
    std::string password_file;
    /// Speak to the first seed only: no discovery, no redirects, every request goes there.
    bool direct = false;

    /// How long a call may take, all retries included, where CallOptions::deadline does not say.
    std::chrono::milliseconds deadline{5000};
    /// How long connect() goes on trying; 0: until each seed has failed once.
    std::chrono::milliseconds connect_timeout{5000};

    /// Register a session with the cluster before the first write, so that a write whose answer was lost can be sent again without
    /// being executed twice. Without it such a write ends as kOutcomeUnknown at once.
    bool exactly_once = true;
    /// How long the cluster remembers a silent session; 0: as the cluster is configured.
    std::chrono::milliseconds session_lifetime{0};

    /// Requests that wait for an answer, and their bytes. Beyond either a caller waits for room, up to its deadline; inside a
    /// callback, where waiting would be for ever, twice as much is taken and then refused as kOverloaded.
    std::size_t in_flight_max = 10'000;
    std::size_t in_flight_bytes_max = 128 << 20;

    /// A node that owes answers and says nothing for this long is asked whether it lives; after twice as long its reads go
    /// elsewhere, and the other nodes are asked for a new master.
    std::chrono::milliseconds silence{250};
    /// How often the nodes' roles and states are asked for while the client is in use.
    std::chrono::milliseconds refresh{1000};
    /// Between attempts on nodes that refuse or cannot be reached: doubled each time, within these bounds, less a random half.
    std::chrono::milliseconds backoff_min{10};
    std::chrono::milliseconds backoff_max{1000};
};

/// Runs on the client's own thread: it must not block, and may send further requests but make no synchronous call.
template <class T>
using Callback = std::function<void(Result<T>)>;

class Rows;

/// One client is one session: its reads see its writes, whichever nodes serve them. Safe to use from many threads at once;
/// requests are pipelined, and may be answered out of order: two that must not be reordered are sent one after the other's answer.
///
/// Destruction ends what is in flight with kClosed, calling its callbacks before it returns.
class Client {
public:
    /// Answers once a node has introduced the cluster. kUnavailable: none did; the message names each seed and what it said.
    [[nodiscard]] static Result<Client> connect(Options options);

    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    ~Client();

    // -- synchronous: each waits for the answer, at most until the deadline ------------------------------------------------
    [[nodiscard]] Result<std::optional<Value>> get(std::string key, const CallOptions& options = {});
    [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(std::vector<std::string> keys, const CallOptions& options = {});
    [[nodiscard]] Result<Page> scan(Scan range, const CallOptions& options = {});
    /// All rows of the range, page by page, each as of its own LSN and none older than the one before (but at level kStale).
    [[nodiscard]] Rows rows(Scan range, const CallOptions& options = {});
    Result<Written> put(std::string key, std::string value, const CallOptions& options = {});
    /// Written::existed tells whether there was something to delete.
    Result<Written> del(std::string key, const CallOptions& options = {});
    /// A condition that does not hold is no Error: see Compared::done.
    [[nodiscard]] Result<Compared> compare_and_set(std::string key, Expected expected, std::string value, const CallOptions& options = {});
    [[nodiscard]] Result<Compared> compare_and_delete(std::string key, Expected expected, const CallOptions& options = {});
    Result<Incremented> increment(std::string key, std::int64_t by = 1, const CallOptions& options = {});
    [[nodiscard]] Result<BatchDone> batch(Batch batch, const CallOptions& options = {});
    [[nodiscard]] Result<ClusterStatus> status(const CallOptions& options = {});
    /// Answers when the new master takes writes. kUnavailable: it cannot be done now, the message says why.
    Result<SwitchedOver> switch_over(std::optional<std::uint32_t> target = std::nullopt, const CallOptions& options = {});

    // -- asynchronous: for every request of requests.h, Get to Switchover --------------------------------------------------
    /// `done` is called exactly once, also when the client is destroyed before the answer comes.
    template <class Request>
    void send(Request request, Callback<typename Request::Reply> done, const CallOptions& options = {});

    template <class Request>
    [[nodiscard]] std::future<Result<typename Request::Reply>> send(Request request, const CallOptions& options = {}) {
        auto promise = std::make_shared<std::promise<Result<typename Request::Reply>>>();
        auto future = promise->get_future();
        send(std::move(request), [promise](Result<typename Request::Reply> result) { promise->set_value(std::move(result)); }, options);
        return future;
    }

    // -- the session -------------------------------------------------------------------------------------------------------
    /// Everything that this client has seen, to be handed to another one.
    [[nodiscard]] SessionToken token() const;
    /// Session reads are at least as new as `token` from now on.
    void observe(SessionToken token);

private:
    class Impl;
    friend class Rows;
    explicit Client(std::unique_ptr<Impl> impl);
    template <class Request>
    Result<typename Request::Reply> call(Request request, const CallOptions& options);

    std::unique_ptr<Impl> impl_;
};

/// An iterator that fetches the next page while the caller works through this one. It must not outlive its client.
///
///     for (auto rows = client.rows({.prefix = "user/"});;) {
///         auto row = rows.next();
///         if (!row) return fail(row.error().message);
///         if (!*row) break;
///         use((*row)->key, (*row)->value);
///     }
class Rows {
public:
    /// nullopt behind the last row. After an Error, the next call asks for the same page again.
    [[nodiscard]] Result<std::optional<Row>> next();

private:
    friend class Client;
    Rows(Client::Impl& impl, Scan range, const CallOptions& options);
    void fetch(std::string begin);

    Client::Impl* impl_;
    Scan range_;
    CallOptions options_;
    std::future<Result<Page>> fetched_;
    std::string fetched_begin_;
    Page page_;
    std::size_t at_ = 0;
    bool last_ = false;
};

}  // namespace tanist::client
