// SPDX-License-Identifier: Apache-2.0
// tanist_spread: reads of random keys through the client library, many at once, which spreads them over the slaves.
#include <fmt/format.h>
#include <tanist/client.h>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "workload.h"

namespace tanist::bench {
namespace {

using Time = std::chrono::steady_clock;

struct Options {
    std::vector<std::string> seeds{"127.0.0.1:7401"};
    std::uint64_t keys = 100'000;
    unsigned at_once = 64;
    double seconds = 3;
};

/// One after the other, each asked for by the answer to the last one.
class Reader : public std::enable_shared_from_this<Reader> {
public:
    Reader(client::Client& client, const Options& options, std::uint64_t seed) : client_(client), options_(options), random_(seed) {}

    void read() {
        client_.send(client::Get{.key = key_name(random_.below(options_.keys))},
                     [self = shared_from_this()](const client::Result<std::optional<client::Value>>& value) {
                         if (self->stopping_) return;
                         ++(value ? self->answered_ : self->failed_);
                         self->read();
                     });
    }
    void stop() { stopping_ = true; }
    [[nodiscard]] std::uint64_t answered() const { return answered_; }
    [[nodiscard]] std::uint64_t failed() const { return failed_; }

private:
    client::Client& client_;
    const Options& options_;
    Random random_;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::uint64_t> answered_ = 0, failed_ = 0;
};

int run(const Options& options) {
    auto client = client::Client::connect({.seeds = options.seeds, .client_name = "tanist_spread"});
    if (!client) {
        fmt::print(stderr, "tanist_spread: {}\n", client.error().message);
        return 1;
    }
    std::vector<std::shared_ptr<Reader>> readers;
    for (unsigned i = 0; i < options.at_once; ++i) readers.push_back(std::make_shared<Reader>(*client, options, i + 1));
    const auto began = Time::now();
    for (const auto& reader : readers) reader->read();
    asio::io_context clock;
    asio::steady_timer(clock, std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(options.seconds))).wait();
    std::uint64_t answered = 0, failed = 0;
    for (const auto& reader : readers) {
        reader->stop();
        answered += reader->answered();
        failed += reader->failed();
    }
    const double seconds = std::chrono::duration<double>(Time::now() - began).count();
    fmt::print("{{\"reads\":{},\"per_second\":{:.0f},\"failed\":{}}}\n", answered, static_cast<double>(answered) / seconds, failed);
    return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tanist::bench

int main(int argc, char** argv) {
    tanist::bench::Options options;
    CLI::App app("Reads of random keys through the client library, which spreads them over the slaves.");
    app.add_option("--seeds", options.seeds, "HOST:PORT of one node or several")->capture_default_str()->delimiter(',');
    app.add_option("--keys", options.keys, "keys are drawn evenly from this many")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--at-once", options.at_once, "reads under way")->capture_default_str()->check(CLI::Range(1, 10'000));
    app.add_option("--seconds", options.seconds)->capture_default_str()->check(CLI::Range(0.1, 3600.0));
    CLI11_PARSE(app, argc, argv);
    return tanist::bench::run(options);
}
