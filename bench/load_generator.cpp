// SPDX-License-Identifier: Apache-2.0
// tanist_load: many connections that each send a pipeline of requests and wait for all its replies, over and over.
// Prints throughput, latency percentiles and the CPU time that the servers took per operation; one thread.
#include <fmt/format.h>

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <asio.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "connection.h"

namespace tanist::bench {
namespace {

using Time = std::chrono::steady_clock;

struct Options {
    std::vector<std::string> targets{"127.0.0.1:7401"};
    std::string dialect = "resp";
    std::string workload;  ///< "a" .. "f"; empty: get_percent
    unsigned get_percent = 0;
    std::size_t connections = 50;
    double seconds = 5, warm_up = 0;
    unsigned series_ms = 0;
    std::vector<int> server_pids;
    std::uint64_t seed = 1;
    bool json = false;
    DialectOptions levels;
    LoadOptions load;
};

/// User and system time of a process so far, in seconds (proc(5), stat fields 14 and 15).
double cpu_seconds(int pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::size_t behind_name = text.rfind(')');
    if (behind_name == std::string::npos) return 0;
    unsigned long user = 0, system = 0;
    std::sscanf(text.c_str() + behind_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::vector<double> cpu_seconds(const std::vector<int>& pids) {
    std::vector<double> seconds;
    for (const int pid : pids) seconds.push_back(cpu_seconds(pid));
    return seconds;
}

/// Good enough for a message in a report: what JSON would have to escape becomes a '?'.
std::string in_json(std::string text) {
    for (char& c : text) {
        if (c < ' ' || c > '~' || c == '"' || c == '\\') c = '?';
    }
    return text;
}

double in_microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

/// What happened in each stretch of `series_ms`.
class Series {
public:
    void sample(Histogram& interval) {
        text_ += fmt::format("{}[{},{:.1f},{:.1f}]", text_.empty() ? "" : ",", interval.count(), in_microseconds(interval.percentile(99)),
                             in_microseconds(interval.max()));
        interval = Histogram{};
    }
    /// JSON: operations, p99 and the longest, in microseconds.
    [[nodiscard]] std::string json() const { return "[" + text_ + "]"; }

private:
    std::string text_;
};

class Generator {
public:
    explicit Generator(const Options& options)
        : options_(options),
          workload_(mix_of(options), options.load.keys),
          run_{.options = options.load, .workload = workload_},
          timer_(loop_),
          series_timer_(loop_) {}

    int run() {
        for (std::size_t i = 0; i < options_.connections; ++i) {
            const std::string& target = options_.targets[i % options_.targets.size()];
            if (!connect(target, i)) {
                fmt::print(stderr, "tanist_load: --target {}: expected HOST:PORT\n", target);
                return 2;
            }
        }
        begin();
        if (!options_.load.load_all_keys) {
            after(options_.warm_up, [this] {
                begin();
                after(options_.seconds, [this] {
                    run_.stopping = true;
                    loop_.stop();
                });
            });
            if (options_.series_ms > 0) sample_later();
        }
        loop_.run();
        report();
        return run_.errors == 0 ? 0 : 1;
    }

private:
    static Mix mix_of(const Options& options) {
        if (const auto mix = options.workload.empty() ? std::nullopt : ycsb(options.workload.front())) return *mix;
        return {.read = options.get_percent, .update = 100 - options.get_percent};
    }

    bool connect(const std::string& target, std::size_t number) {
        const std::size_t colon = target.rfind(':');
        if (colon == std::string::npos) return false;
        asio::error_code error;
        const auto found = asio::ip::tcp::resolver(loop_).resolve(target.substr(0, colon), target.substr(colon + 1), error);
        if (error) return false;
        DialectOptions levels = options_.levels;
        levels.authority = target;
        std::make_shared<Connection>(loop_, run_, make_dialect(options_.dialect, levels), options_.seed * 1'000'003 + number)
            ->start(*found.begin());
        return true;
    }

    /// Everything before is warm-up.
    void begin() {
        run_.latencies = run_.interval = Histogram{};
        cpu_before_ = cpu_seconds(options_.server_pids);
        began_ = Time::now();
    }

    template <class Work>
    void after(double seconds, Work work) {
        timer_.expires_after(std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds)));
        timer_.async_wait([work](const asio::error_code& error) {
            if (!error) work();
        });
    }

    void sample_later() {
        series_timer_.expires_after(std::chrono::milliseconds(options_.series_ms));
        series_timer_.async_wait([this](const asio::error_code& error) {
            if (error) return;
            series_.sample(run_.interval);
            sample_later();
        });
    }

    void report() const {
        const Histogram& h = run_.latencies;
        const double seconds = std::chrono::duration<double>(Time::now() - began_).count(), operations = static_cast<double>(h.count());
        const double per_operation = operations > 0 ? 1e6 / operations : 0;
        std::string each;
        double cpu = 0;
        const auto now = cpu_seconds(options_.server_pids);
        for (std::size_t i = 0; i < now.size(); ++i) {
            cpu += now[i] - cpu_before_[i];
            each += fmt::format("{}{:.3f}", i == 0 ? "" : ",", (now[i] - cpu_before_[i]) * per_operation);
        }
        const auto at = [&](double percent) { return in_microseconds(h.percentile(percent)); };
        if (options_.json) {
            fmt::print(
                "{{\"operations\":{},\"per_second\":{:.0f},\"p50_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"max_us\":{:.1f},"
                "\"server_cpu_us\":{:.3f},\"server_cpu_us_each\":[{}],\"errors\":{},\"first_error\":\"{}\",\"series\":{}}}\n",
                h.count(), operations / seconds, at(50), at(99), at(99.9), in_microseconds(h.max()), cpu * per_operation, each, run_.errors,
                in_json(run_.first_error), series_.json());
            return;
        }
        fmt::print("{} operations in {:.2f} s: {:.0f}/s\nlatency p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us, max {:.1f} us\n", h.count(),
                   seconds, operations / seconds, at(50), at(99), at(99.9), in_microseconds(h.max()));
        if (!now.empty()) fmt::print("CPU of the servers: {:.3f} us per operation (each: {})\n", cpu * per_operation, each);
        if (run_.errors > 0) fmt::print("{} errors, the first: {}\n", run_.errors, run_.first_error);
    }

    const Options& options_;
    asio::io_context loop_{1};
    Workload workload_;
    Run run_;
    asio::steady_timer timer_, series_timer_;
    Series series_;
    std::vector<double> cpu_before_;
    Time::time_point began_;
};

}  // namespace
}  // namespace tanist::bench

int main(int argc, char** argv) {
    tanist::bench::Options options;
    auto& load = options.load;
    CLI::App app("Load generator: requests over many connections, each waiting for a whole pipeline of replies.");
    app.add_option("--target", options.targets, "HOST:PORT; several: connections are spread over them")
        ->capture_default_str()
        ->delimiter(',');
    app.add_option("--dialect", options.dialect, "resp, native (tanistd's own protocol) or etcd (API v3 over gRPC)")
        ->capture_default_str()
        ->check(CLI::IsMember({"resp", "native", "etcd"}));
    app.add_option("--connections", options.connections)->capture_default_str()->check(CLI::Range(1, 10000));
    app.add_option("--pipeline", load.pipeline, "requests sent before their replies are awaited")
        ->capture_default_str()
        ->check(CLI::Range(1, 10000));
    app.add_option("--seconds", options.seconds)->capture_default_str()->check(CLI::Range(0.1, 3600.0));
    app.add_option("--warm-up", options.warm_up, "seconds before anything is counted")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 600.0));
    app.add_option("--series-ms", options.series_ms, "with --json: a time series, in steps of so many milliseconds, warm-up included");
    app.add_option("--value-bytes", load.value_bytes)->capture_default_str()->check(CLI::Range(0, 16 << 20));
    app.add_option("--keys", load.keys, "keys to draw from")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--get-percent", options.get_percent, "reads among the requests, of evenly drawn keys; the others are writes")
        ->capture_default_str()
        ->check(CLI::Range(0, 100));
    app.add_option("--workload", options.workload, "one of YCSB's instead: a to f (e needs --dialect native or etcd)")
        ->check(CLI::IsMember({"a", "b", "c", "d", "e", "f"}));
    app.add_option("--read-level", options.levels.read_level, "tanistd: stale, session or linearizable; etcd: linearizable unless stale")
        ->check(CLI::IsMember({"stale", "session", "linearizable"}));
    app.add_option("--write-level", options.levels.write_level, "tanistd: master, quorum or all")
        ->check(CLI::IsMember({"master", "quorum", "all"}));
    app.add_option("--wait", load.wait_replicas, "ends each pipeline with WAIT for this many replicas (redis-server)")
        ->capture_default_str();
    app.add_flag("--load", load.load_all_keys, "writes every key once, then ends");
    app.add_option("--server-pid", options.server_pids, "processes whose CPU time is reported per operation")->delimiter(',');
    app.add_option("--seed", options.seed)->capture_default_str();
    app.add_flag("--json", options.json, "one line of JSON");
    CLI11_PARSE(app, argc, argv);
    return tanist::bench::Generator(options).run();
}
