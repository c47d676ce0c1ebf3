// SPDX-License-Identifier: Apache-2.0
// Clients of the client library, each a session of its own, that read and write a few keys while somebody hurts the cluster, and
// write down what they asked and were told: the operations that must be linearizable in the lines of src/sim/history_file.h, and what
// each session saw in those of src/sim/session_file.h.
//
// The keys change with the clock, every five seconds, so that each has a short history: <prefix><period>-<name>, period being
// CLOCK_MONOTONIC / 5 s, the same in each process on the machine.
//   k0..3    puts, deletes, compare-and-set and linearizable reads; other clients may join in
//   c0, c1   increments and linearizable reads; the same
//   s0..3    puts at levels quorum and all, reads at all levels
//   m0, m1   puts at level master, which a failover may lose, and reads at all levels
//
// It ends with its standard input: then each key is read once more, at level linearizable. Until then it prints how many operations
// have been answered, a line "done N" each 100 ms.
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "tanist/client.h"

namespace {

using namespace std::chrono_literals;
using tanist::client::CallOptions;
using tanist::client::Client;
using tanist::client::Error;
using tanist::client::ErrorCode;
using tanist::client::Outcome;
using tanist::client::ReadLevel;
using tanist::client::Value;
using tanist::client::WriteLevel;

using Text = std::optional<std::string>;

constexpr std::uint64_t kPeriodNs = 5'000'000'000;

std::uint64_t now_ns() { return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()); }

std::string field(const Text& value) { return value ? "=" + *value : "-"; }

/// The two files, and what happened how often.
class Book {
public:
    Book(const std::string& history, const std::string& sessions) : history_(history), sessions_(sessions) {}

    struct Line {
        std::string key;
        std::string_view kind;
        std::uint64_t begin = 0, end = 0;  ///< end 0: the outcome is unknown
        Text expected, value, result;
        int by = 0;
        bool succeeded = false;
    };
    void add(const Line& line) {
        const std::lock_guard lock(mutex_);
        history_ << line.key << '\t' << line.kind << '\t' << line.begin << '\t';
        (line.end == 0 ? history_ << '-' : history_ << line.end)
            << '\t' << field(line.expected) << '\t' << field(line.value) << '\t' << field(line.result) << '\t' << line.by << '\t'
            << (line.succeeded ? 1 : 0) << '\n';
    }
    void add_session(int session, std::string_view kind, const std::string& key, std::uint64_t version, const Text& value) {
        const std::lock_guard lock(mutex_);
        sessions_ << session << '\t' << kind << '\t' << key << '\t' << version << '\t' << field(value) << '\n';
    }
    void count(const std::string& what) {
        const std::lock_guard lock(mutex_);
        ++counts_[what];
    }
    void touch(const std::string& key) {
        const std::lock_guard lock(mutex_);
        keys_.insert(key);
    }
    [[nodiscard]] std::set<std::string> keys() {
        const std::lock_guard lock(mutex_);
        return keys_;
    }
    void print_counts() {
        for (const auto& [what, n] : counts_) std::printf("count %s %llu\n", what.c_str(), static_cast<unsigned long long>(n));
    }
    /// Whether all lines have been taken.
    [[nodiscard]] bool close() {
        history_.close();
        sessions_.close();
        return history_.good() && sessions_.good();
    }

    std::atomic<std::uint64_t> done = 0;

private:
    std::mutex mutex_;  // guards all below: many clients, one book
    std::ofstream history_, sessions_;
    std::map<std::string, std::uint64_t> counts_;
    std::set<std::string> keys_;
};

class RecordingClient {
public:
    RecordingClient(Client client, int number, std::uint64_t seed, std::string prefix, Book& book)
        : client_(std::move(client)),
          number_(number),
          random_(seed * 1000 + static_cast<std::uint64_t>(number)),
          prefix_(std::move(prefix)),
          book_(book) {}

    /// One operation.
    void step() {
        switch (draw(10)) {
            case 0:
            case 1:
            case 2: return change_register(key("k", 4));
            case 3: return increment(key("c", 2));
            case 4: return read(draw(3) == 0 ? key("c", 2) : key("k", 4), ReadLevel::kLinearizable);
            case 5: return put_in_session(key("s", 4), draw(4) == 0 ? WriteLevel::kAll : WriteLevel::kQuorum);
            case 6: return draw(3) == 0 ? put_in_session(key("m", 2), WriteLevel::kMaster) : read(key("k", 4), ReadLevel::kLinearizable);
            default: {
                static constexpr std::array kLevels{ReadLevel::kSession, ReadLevel::kSession, ReadLevel::kStale, ReadLevel::kLinearizable};
                return read(draw(4) == 0 ? key("m", 2) : key("s", 4), kLevels[draw(4)]);
            }
        }
    }

private:
    std::uint64_t draw(std::uint64_t below) { return random_() % below; }
    std::string key(std::string_view name, std::uint64_t count) {
        std::string made = prefix_ + std::to_string(now_ns() / kPeriodNs) + '-' + std::string(name) + std::to_string(draw(count));
        book_.touch(made);
        return made;
    }
    static bool may_be_deleted(const std::string& key) { return key.find("-k") != std::string::npos; }
    std::string next_value() { return 'n' + std::to_string(number_) + '.' + std::to_string(++written_); }
    static CallOptions at(WriteLevel level) { return {.write_level = level}; }

    /// After an error: whether the write may have happened all the same.
    bool may_have_happened(const Error& error) {
        book_.count(std::string(to_string(error.code)));
        if (error.code == ErrorCode::kStaleToken) book_.add_session(number_, "cut", "-", 0, std::nullopt);
        return error.outcome != Outcome::kRefused;
    }

    void change_register(const std::string& key) {
        Book::Line line{.key = key, .begin = now_ns()};
        bool known = false, unknown = false;
        const auto finish = [&](const auto& result) {
            known = result.has_value();
            unknown = !known && may_have_happened(result.error());
        };
        switch (const auto choice = draw(20); choice) {
            case 0:
            case 1: {
                line.kind = "write";
                finish(client_.del(key, at(WriteLevel::kQuorum)));
                break;
            }
            case 2:
            case 3:
            case 4:
            case 5:
            case 6: {
                line.kind = "write";
                line.value = next_value();
                finish(client_.put(key, *line.value, at(draw(5) == 0 ? WriteLevel::kAll : WriteLevel::kQuorum)));
                break;
            }
            default: {
                line.kind = "compare";
                const auto last = last_seen_.find(key);
                if (choice > 8 && last != last_seen_.end()) line.expected = last->second;
                if (choice != 7 || !line.expected) line.value = next_value();
                tanist::client::Expected expected = tanist::client::Absent{};
                if (line.expected) expected = tanist::client::ValueIs{*line.expected};
                const auto result = line.value ? client_.compare_and_set(key, expected, *line.value, at(WriteLevel::kQuorum))
                                               : client_.compare_and_delete(key, expected, at(WriteLevel::kQuorum));
                finish(result);
                line.succeeded = known && result->done;
                if (known && !result->done && result->found) last_seen_[key] = result->found->bytes;
                break;
            }
        }
        record(line, known, unknown);
    }

    void increment(const std::string& key) {
        Book::Line line{.key = key, .kind = "increment", .begin = now_ns(), .by = static_cast<int>(1 + draw(3))};
        const auto result = client_.increment(key, line.by, at(WriteLevel::kQuorum));
        if (result) line.result = std::to_string(result->value);
        record(line, result.has_value(), !result && may_have_happened(result.error()));
    }

    /// A write that is answered at level master can be lost with its master: for everybody else its outcome is unknown.
    void put_in_session(const std::string& key, WriteLevel level) {
        const bool is_weak = level == WriteLevel::kMaster;
        Book::Line line{.key = key, .kind = "write", .begin = now_ns(), .value = next_value()};
        const auto result = client_.put(key, *line.value, at(level));
        const bool unknown = !result && may_have_happened(result.error());
        if (result) book_.add_session(number_, is_weak ? "weak-write" : "write", key, result->version, line.value);
        if (result && is_weak) answered();
        record(line, result.has_value() && !is_weak, is_weak ? result.has_value() || unknown : unknown);
    }

    void read(const std::string& key, ReadLevel level) {
        Book::Line line{.key = key, .kind = "read", .begin = now_ns()};
        const auto result = client_.get(key, {.read_level = level});
        if (!result) {
            may_have_happened(result.error());
            return;
        }
        const std::uint64_t version = *result ? (*result)->version : 0;
        if (*result) line.result = (*result)->bytes;
        if (line.result) last_seen_[key] = *line.result;
        const std::string_view kind = level == ReadLevel::kStale          ? "stale-read"
                                      : level == ReadLevel::kLinearizable ? "linearizable-read"
                                                                          : "read";
        if (!may_be_deleted(key)) book_.add_session(number_, kind, key, version, line.result);
        book_.count(level == ReadLevel::kStale          ? "stale reads"
                    : level == ReadLevel::kLinearizable ? "linearizable reads"
                                                        : "session reads");
        if (level == ReadLevel::kLinearizable) return record(line, true, false);
        answered();
    }

    void record(Book::Line& line, bool known, bool unknown) {
        if (known) {
            line.end = now_ns();
            answered();
        }
        if (known || unknown) book_.add(line);
        if (known && line.kind != "read") book_.count("writes");
        if (unknown) book_.count("writes of unknown outcome");
    }
    void answered() { book_.done.fetch_add(1, std::memory_order_relaxed); }

    Client client_;
    int number_;
    std::mt19937_64 random_;
    std::string prefix_;
    Book& book_;
    std::map<std::string, std::string> last_seen_;
    std::uint64_t written_ = 0;
};

struct Arguments {
    std::vector<std::string> seeds;
    int clients = 4;
    std::uint64_t seed = 1;
    std::string history, sessions, prefix = "h";
    int final_seconds = 60;
};

tanist::client::Result<Client> connect(const Arguments& arguments, std::chrono::milliseconds patience) {
    return Client::connect({.seeds = arguments.seeds, .client_name = "recorder", .deadline = 3s, .connect_timeout = patience});
}

/// Reads each key once more. False: one could not be read in time.
bool read_all(const Arguments& arguments, Book& book) {
    auto client = connect(arguments, std::chrono::seconds(arguments.final_seconds));
    if (!client) {
        std::fprintf(stderr, "recorder: %s\n", client.error().message.c_str());
        return false;
    }
    const CallOptions options{.read_level = ReadLevel::kLinearizable, .deadline = std::chrono::seconds(arguments.final_seconds)};
    for (const std::string& key : book.keys()) {
        Book::Line line{.key = key, .kind = "read", .begin = now_ns()};
        const auto found = client->get(key, options);
        if (!found) {
            std::fprintf(stderr, "recorder: reading %s at the end: %s\n", key.c_str(), found.error().message.c_str());
            return false;
        }
        line.end = now_ns();
        if (*found) line.result = (*found)->bytes;
        book.add(line);
        book.count("final reads");
    }
    return true;
}

/// Returns when standard input has ended.
void report_until_told_to_stop(const Book& book) {
    while (true) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        char byte = 0;
        if (::poll(&input, 1, 100) > 0 && ::read(STDIN_FILENO, &byte, 1) <= 0) return;
        std::printf("done %llu\n", static_cast<unsigned long long>(book.done.load()));
        std::fflush(stdout);
    }
}

int record(const Arguments& arguments) {
    Book book(arguments.history, arguments.sessions);
    std::vector<RecordingClient> clients;
    for (int i = 0; i < arguments.clients; ++i) {
        auto client = connect(arguments, 30s);
        if (!client) {
            std::fprintf(stderr, "recorder: %s\n", client.error().message.c_str());
            return 1;
        }
        clients.emplace_back(std::move(*client), i, arguments.seed, arguments.prefix, book);
    }
    std::atomic<bool> stopping = false;
    std::vector<std::thread> threads;
    for (RecordingClient& client : clients) {
        threads.emplace_back([&] {
            while (!stopping) client.step();
        });
    }
    report_until_told_to_stop(book);
    stopping = true;
    for (std::thread& thread : threads) thread.join();
    const bool complete = read_all(arguments, book);
    book.print_counts();
    if (!book.close()) {
        std::fprintf(stderr, "recorder: %s or %s could not be written\n", arguments.history.c_str(), arguments.sessions.c_str());
        return 1;
    }
    return complete ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app("Reads and writes through the client library and writes down what it was told.", "tanist_recorder");
    app.add_option("--seeds", arguments.seeds, "Client addresses of the nodes")->required()->delimiter(',');
    app.add_option("--clients", arguments.clients, "Sessions, one operation at a time each")->check(CLI::Range(1, 256));
    app.add_option("--seed", arguments.seed, "Of the operations");
    app.add_option("--history", arguments.history, "File for what must be linearizable")->required();
    app.add_option("--sessions", arguments.sessions, "File for what each session saw")->required();
    app.add_option("--prefix", arguments.prefix, "Of all keys")->capture_default_str();
    app.add_option("--final-seconds", arguments.final_seconds, "How long the last reads may take")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    return record(arguments);
}
