// SPDX-License-Identifier: Apache-2.0
// One connection of the load generator: a batch of requests out, all their replies in, then the next batch.
#pragma once

#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "dialect.h"
#include "histogram.h"
#include "workload.h"

namespace tanist::bench {

/// What all connections of a run do alike.
struct LoadOptions {
    std::size_t pipeline = 1;
    std::size_t value_bytes = 100;
    std::uint64_t keys = 100'000;
    bool load_all_keys = false;  ///< writes each key once, then ends
    unsigned wait_replicas = 0;  ///< RESP: each batch ends with WAIT for so many
};

/// What all connections of a run share; one thread's.
struct Run {
    const LoadOptions& options;
    Workload& workload;
    bool stopping = false;
    std::uint64_t next_key = 0;  ///< load_all_keys
    Histogram latencies;         ///< since the warm-up
    Histogram interval;          ///< since the last sample of the time series
    std::uint64_t errors = 0;
    std::string first_error;
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(asio::io_context& loop, Run& run, std::unique_ptr<Dialect> dialect, std::uint64_t seed);

    /// Ends the process where nobody listens.
    void start(const asio::ip::tcp::endpoint& target);

private:
    using Time = std::chrono::steady_clock;

    void send_batch();
    void add_operation();
    void write_key(std::uint64_t number);
    void send_second_halves();
    void send();
    void receive();
    void take_replies();
    void note_error(const std::string& text);

    asio::ip::tcp::socket socket_;
    Run& run_;
    const std::unique_ptr<Dialect> dialect_;
    Random random_;
    std::string input_, output_, value_;
    std::string said_back_;                     ///< what the dialect answers to the server by itself
    std::vector<std::uint64_t> second_halves_;  ///< keys that were read to be written
    std::size_t filled_ = 0, expected_ = 0, operations_ = 0;
    bool greeting_ = false;
    Time::time_point sent_at_;
};

}  // namespace tanist::bench
