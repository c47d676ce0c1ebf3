// SPDX-License-Identifier: Apache-2.0
// tanist_load: many connections that each send a pipeline of RESP commands and wait for all its replies, over and over.
// Prints throughput, latency percentiles and the CPU time that the servers took per operation; one thread.
#include <fmt/format.h>

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <asio.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "histogram.h"

namespace tanist::bench {
namespace {

using Time = std::chrono::steady_clock;

struct Options {
    std::vector<std::string> targets{"127.0.0.1:7401"};
    std::size_t connections = 50;
    std::size_t pipeline = 1;
    double seconds = 5;
    std::size_t value_bytes = 100;
    std::uint64_t keys = 100'000;
    unsigned get_percent = 0;
    unsigned wait_replicas = 0;
    bool load_all_keys = false;
    std::vector<int> server_pids;
    std::string preface;
    std::uint64_t seed = 1;
    bool json = false;
};

struct Totals {
    Histogram latencies;
    std::uint64_t errors = 0;
    std::string first_error;
};

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
    out += fmt::format("*{}\r\n", words.size());
    for (const auto word : words) {
        out += fmt::format("${}\r\n", word.size());
        out += word;
        out += "\r\n";
    }
}

/// The size of the first reply in `text`, 0 while it is incomplete. Replies of GET, SET, WAIT and errors only: no aggregates.
std::size_t reply_bytes(std::string_view text) {
    const std::size_t line = text.find("\r\n");
    if (line == std::string_view::npos) return 0;
    if (text[0] != '$') return line + 2;
    const long length = std::strtol(text.data() + 1, nullptr, 10);
    if (length < 0) return line + 2;
    const std::size_t whole = line + 2 + static_cast<std::size_t>(length) + 2;
    return text.size() < whole ? 0 : whole;
}

/// One connection: a batch out, its replies in, then the next batch.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(asio::io_context& loop, const Options& options, Totals& totals, const bool& stopping, std::uint64_t& next_key,
               std::uint64_t seed)
        : socket_(loop),
          options_(options),
          totals_(totals),
          stopping_(stopping),
          next_key_(next_key),
          random_(seed),
          input_(1 << 16, '\0') {}

    void start(const asio::ip::tcp::endpoint& target) {
        asio::error_code error;
        socket_.connect(target, error);
        if (error) {
            fmt::print(stderr, "tanist_load: {}:{}: {}\n", target.address().to_string(), target.port(), error.message());
            std::exit(3);
        }
        socket_.set_option(asio::ip::tcp::no_delay(true), error);
        if (!options_.preface.empty()) {  // e.g. "TANIST.READS linearizable": its reply is not counted
            output_ = options_.preface + "\r\n";
            in_preface_ = true;
            expected_ = 1;
            send();
        } else {
            send_batch();
        }
    }

private:
    void send_batch() {
        if (stopping_ || (options_.load_all_keys && next_key_ >= options_.keys)) return;
        output_.clear();
        expected_ = 0;
        for (std::size_t i = 0; i < options_.pipeline; ++i) {
            if (options_.load_all_keys && next_key_ >= options_.keys) break;
            const std::string key = fmt::format("key:{:012}", options_.load_all_keys ? next_key_++ : random_.below(options_.keys));
            if (!options_.load_all_keys && random_.below(100) < options_.get_percent) {
                append_command(output_, {"GET", key});
            } else {
                value_.assign(options_.value_bytes, static_cast<char>('a' + random_.below(26)));
                append_command(output_, {"SET", key, value_});
            }
            ++expected_;
        }
        commands_ = expected_;
        if (options_.wait_replicas > 0) {
            append_command(output_, {"WAIT", std::to_string(options_.wait_replicas), "1000"});
            ++expected_;
        }
        send();
    }

    void send() {
        sent_at_ = Time::now();
        asio::async_write(socket_, asio::buffer(output_), [self = shared_from_this()](asio::error_code error, std::size_t) {
            if (error) return self->lost(error);
        });
        receive();
    }

    void receive() {
        if (input_.size() - filled_ < 4096) input_.resize(input_.size() * 2);
        socket_.async_read_some(asio::buffer(input_.data() + filled_, input_.size() - filled_),
                                [self = shared_from_this()](asio::error_code error, std::size_t bytes) {
                                    if (error) return self->lost(error);
                                    self->filled_ += bytes;
                                    self->take_replies();
                                });
    }

    void take_replies() {
        std::string_view text(input_.data(), filled_);
        while (expected_ > 0) {
            const std::size_t size = text.empty() ? 0 : reply_bytes(text);
            if (size == 0) break;
            if (text[0] == '-') note_error(text.substr(1, text.find("\r\n") - 1));
            text.remove_prefix(size);
            --expected_;
        }
        std::memmove(input_.data(), text.data(), text.size());
        filled_ = text.size();
        if (expected_ > 0) return receive();
        if (!in_preface_) {
            const auto taken = std::chrono::duration_cast<std::chrono::nanoseconds>(Time::now() - sent_at_).count();
            totals_.latencies.add(static_cast<std::uint64_t>(taken), commands_);
        }
        in_preface_ = false;
        send_batch();
    }

    void note_error(std::string_view text) {
        if (totals_.errors++ == 0) totals_.first_error = text;
    }
    void lost(const asio::error_code& error) {
        if (!stopping_) note_error(error.message());
    }

    asio::ip::tcp::socket socket_;
    const Options& options_;
    Totals& totals_;
    const bool& stopping_;
    std::uint64_t& next_key_;
    Random random_;
    std::string input_, output_, value_;
    std::size_t filled_ = 0, expected_ = 0, commands_ = 0;
    bool in_preface_ = false;
    Time::time_point sent_at_;
};

/// User and system time of these processes so far, in seconds (proc(5), stat fields 14 and 15).
double cpu_seconds(const std::vector<int>& pids) {
    double total = 0;
    for (const int pid : pids) {
        std::ifstream file(fmt::format("/proc/{}/stat", pid));
        std::string text((std::istreambuf_iterator<char>(file)), {});
        const std::size_t behind_name = text.rfind(')');
        if (behind_name == std::string::npos) continue;
        unsigned long user = 0, system = 0;
        std::sscanf(text.c_str() + behind_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
        total += static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    }
    return total;
}

void report(const Options& options, const Totals& totals, double seconds, double cpu) {
    const Histogram& h = totals.latencies;
    const double operations = static_cast<double>(h.count());
    const auto microseconds = [&](double percent) { return static_cast<double>(h.percentile(percent)) / 1000; };
    if (options.json) {
        fmt::print(
            "{{\"operations\":{},\"per_second\":{:.0f},\"p50_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"max_us\":{:.1f},"
            "\"server_cpu_us\":{:.3f},\"errors\":{}}}\n",
            h.count(), operations / seconds, microseconds(50), microseconds(99), microseconds(99.9), static_cast<double>(h.max()) / 1000,
            operations > 0 ? cpu * 1e6 / operations : 0, totals.errors);
    } else {
        fmt::print("{} operations in {:.2f} s: {:.0f}/s\nlatency p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us, max {:.1f} us\n", h.count(),
                   seconds, operations / seconds, microseconds(50), microseconds(99), microseconds(99.9),
                   static_cast<double>(h.max()) / 1000);
        if (!options.server_pids.empty()) fmt::print("CPU of the servers: {:.3f} us per operation\n", cpu * 1e6 / operations);
        if (totals.errors > 0) fmt::print("{} errors, the first: {}\n", totals.errors, totals.first_error);
    }
}

int run(const Options& options) {
    asio::io_context loop(1);
    Totals totals;
    bool stopping = false;
    std::uint64_t next_key = 0;
    const double cpu_before = cpu_seconds(options.server_pids);
    const auto started = Time::now();
    asio::ip::tcp::resolver resolver(loop);
    for (std::size_t i = 0; i < options.connections; ++i) {
        const std::string& target = options.targets[i % options.targets.size()];
        const std::size_t colon = target.rfind(':');
        asio::error_code error;
        const auto found = resolver.resolve(target.substr(0, colon), target.substr(colon + 1), error);
        if (error || colon == std::string::npos) {
            fmt::print(stderr, "tanist_load: --target {}: expected HOST:PORT\n", target);
            return 2;
        }
        std::make_shared<Connection>(loop, options, totals, stopping, next_key, options.seed * 1'000'003 + i)->start(*found.begin());
    }
    asio::steady_timer end(loop);
    if (!options.load_all_keys) {
        end.expires_after(std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(options.seconds)));
        end.async_wait([&](asio::error_code) {
            stopping = true;
            loop.stop();
        });
    }
    loop.run();
    const double seconds = std::chrono::duration<double>(Time::now() - started).count();
    report(options, totals, seconds, cpu_seconds(options.server_pids) - cpu_before);
    return totals.errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tanist::bench

int main(int argc, char** argv) {
    tanist::bench::Options options;
    CLI::App app("Load generator: RESP commands over many connections, each waiting for a whole pipeline of replies.");
    app.add_option("--target", options.targets, "HOST:PORT; several: connections are spread over them")
        ->capture_default_str()
        ->delimiter(',');
    app.add_option("--connections", options.connections)->capture_default_str()->check(CLI::Range(1, 10000));
    app.add_option("--pipeline", options.pipeline, "commands sent before their replies are awaited")
        ->capture_default_str()
        ->check(CLI::Range(1, 10000));
    app.add_option("--seconds", options.seconds)->capture_default_str()->check(CLI::Range(0.1, 3600.0));
    app.add_option("--value-bytes", options.value_bytes)->capture_default_str()->check(CLI::Range(0, 16 << 20));
    app.add_option("--keys", options.keys, "keys are drawn evenly from this many")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--get-percent", options.get_percent, "GETs among the commands; the others are SETs")
        ->capture_default_str()
        ->check(CLI::Range(0, 100));
    app.add_option("--wait", options.wait_replicas, "ends each pipeline with WAIT for this many replicas (redis-server)")
        ->capture_default_str();
    app.add_flag("--load", options.load_all_keys, "SETs every key once, then ends");
    app.add_option("--server-pid", options.server_pids, "processes whose CPU time is reported per operation")->delimiter(',');
    app.add_option("--preface", options.preface, "one inline command for each connection first");
    app.add_option("--seed", options.seed)->capture_default_str();
    app.add_flag("--json", options.json, "one line of JSON");
    CLI11_PARSE(app, argc, argv);
    return tanist::bench::run(options);
}
