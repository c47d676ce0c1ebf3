// SPDX-License-Identifier: Apache-2.0
// What a port remembers of the commands that it ran: how often and how long, the errors, the slow ones, and who watches all of them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/resp/acl_log.h"
#include "server/resp/command.h"

namespace tanist::server {

class RespSession;

namespace resp {

struct CommandCount {
    std::uint64_t calls = 0, microseconds = 0;
    std::array<std::uint64_t, 32> took =
        {};                      ///< calls that were timed: number k, less than 2^k microseconds, and not less than half of that
    std::uint64_t rejected = 0;  ///< not run: wrong words, not allowed now
    std::uint64_t failed = 0;    ///< run, and answered with an error
};

/// Microseconds within which that part of the timed calls were done, to the power of two above; nullopt: none was timed.
[[nodiscard]] std::optional<std::uint64_t> percentile_us(const CommandCount& count, double percent);

struct SlowCommand {
    std::uint64_t id = 0, unix_seconds = 0, microseconds = 0;
    std::vector<std::string> words;  ///< cut short where they are many or long
    std::string address, client_name;
};

/// What kept the node busy for long, by the kind of event.
struct Latencies {
    struct Sample {
        std::uint64_t unix_seconds, milliseconds;
    };
    std::deque<Sample> samples;  ///< the worst of each second, oldest first
    std::uint64_t worst_ms = 0;
};

/// Loop thread. A command's time is what it kept the loop, as Redis counts it: not the wait for a majority, nor the network.
class Records {
public:
    explicit Records(const CommandTable& commands) : counts_(commands.all().size()) {}

    void count_call(const CommandTable::Row& row, std::uint64_t times = 1) { counts_[row.index].calls += times; }
    /// Of `calls` that were counted, and took so long together.
    void count_time(const CommandTable::Row& row, std::uint64_t microseconds, std::uint64_t calls = 1);
    void count_rejected(const CommandTable::Row& row) { ++counts_[row.index].rejected; }
    void count_failed(const CommandTable::Row& row) { ++counts_[row.index].failed; }
    /// By the code that an error begins with.
    void count_error(std::string_view text);
    void forget_counts();
    [[nodiscard]] const CommandCount& count_of(const CommandTable::Row& row) const { return counts_[row.index]; }
    [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& errors() const { return errors_; }

    /// Negative: nothing is slow.
    std::int64_t slower_than_us = 0;
    std::size_t slow_max = 0;
    [[nodiscard]] bool is_slow(std::uint64_t microseconds) const {
        return slower_than_us >= 0 && microseconds >= static_cast<std::uint64_t>(slower_than_us) && slow_max > 0;
    }
    void keep_slow(SlowCommand command, Arguments words);
    [[nodiscard]] const std::deque<SlowCommand>& slow() const { return slow_; }  ///< the newest first
    void forget_slow() { slow_.clear(); }

    /// As Redis's latency-monitor-threshold; 0: nothing is remembered.
    std::uint64_t latency_threshold_ms = 0;
    /// As Redis's latency-tracking: whether `took` is filled, and which percentiles INFO latencystats tells of it.
    bool tracks_latency = true;
    std::vector<double> percentiles;
    void forget_latency_tracking();
    void note_latency(const CommandTable::Row& row, std::uint64_t unix_seconds, std::uint64_t microseconds);
    [[nodiscard]] const std::map<std::string, Latencies, std::less<>>& latencies() const { return latencies_; }
    /// False: no such event was noted.
    bool forget_latency(std::string_view event) { return latencies_.erase(std::string(event)) > 0; }

    AclLog acl_log;

    void add_monitor(RespSession& session) { monitors_.push_back(&session); }
    void remove_monitor(const RespSession& session) { std::erase(monitors_, &session); }
    [[nodiscard]] const std::vector<RespSession*>& monitors() const { return monitors_; }

private:
    std::vector<CommandCount> counts_;
    std::map<std::string, std::uint64_t, std::less<>> errors_;
    std::deque<SlowCommand> slow_;
    std::uint64_t last_slow_id_ = 0;
    std::map<std::string, Latencies, std::less<>> latencies_;
    std::vector<RespSession*> monitors_;
};

}  // namespace resp
}  // namespace tanist::server
