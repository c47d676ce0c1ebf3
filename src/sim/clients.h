// SPDX-License-Identifier: Apache-2.0
// The simulated clients: each asks, waits, asks again elsewhere, and holds every answer against what is known to be committed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/client_protocol.h"
#include "sim/cluster_checker.h"
#include "sim/key_histories.h"
#include "sim/plan.h"
#include "sim/virtual_network.h"
#include "sim/world.h"

namespace tanist::sim {

/// What all clients together know of one counter: enough to tell whether each increment counted once.
struct CounterTally {
    std::uint64_t acknowledged = 0, unknown = 0;
    std::map<std::int64_t, std::uint64_t> values;  ///< how often each was answered
};

struct ClientStatistics {
    std::uint64_t asked = 0, done = 0, refused = 0, unknown = 0, retries = 0, stale_tokens = 0, expired = 0;
};

class Client {
public:
    using AskNode = std::function<void(NodeId, Question, Reply)>;
    Client(World& world, VirtualNetwork& network, const ClusterChecker& checker, const Plan& plan, std::uint32_t number,
           KeyHistories& histories, AskNode ask_node);

    void start();
    /// What it asked to be written, and was never answered, may have been executed.
    void note_unanswered();
    /// What is under way goes on until it is answered; then it writes until one more write is acknowledged, and rests.
    void finish() { finishing_ = true; }
    [[nodiscard]] bool finished() const { return finishing_ && proved_ && operations_.empty(); }

    [[nodiscard]] const ClientStatistics& statistics() const { return statistics_; }
    [[nodiscard]] const std::map<std::string, CounterTally>& counters() const { return counters_; }

private:
    struct Operation {
        Question question;
        bool is_write = false;
        std::optional<std::string> counter;  ///< that it increments
        std::uint64_t sequence = 0;          ///< of the session; 0: none
        std::uint64_t attempt = 0;           ///< answers to earlier ones count too
        bool sent_unanswered = false;        ///< an attempt may have been executed
        bool proof = false;                  ///< begun after finish()
        Lsn committed_before;                ///< everything known to be committed when it was begun
        Rank token_before;
        Instant begun{0};
    };

    void go_on();
    void begin();
    [[nodiscard]] Operation draw_operation();
    [[nodiscard]] Operation draw_write();
    void draw_words(commands::Request& request);
    [[nodiscard]] Operation draw_read();
    [[nodiscard]] std::string draw_key(char kind, std::uint32_t bound);
    [[nodiscard]] std::string draw_value();
    void register_session();
    void send(std::uint64_t id);
    void retry(std::uint64_t id, bool may_have_been_executed);
    void take(std::uint64_t id, std::uint64_t attempt, Answer answer);
    void take_write(std::uint64_t id, Operation& operation, const Answer& answer);
    void end(std::uint64_t id);
    void end_unknown(std::uint64_t id);
    [[nodiscard]] NodeId choose_node(const Operation& operation);

    void check_write(const Operation& operation, const Answer& answer);
    void check_stale_token(const Operation& operation);
    void check_read(const Operation& operation, const Answer& answer);
    void check_lag(const Operation& operation, const Read& read, const Answer& answer);
    [[nodiscard]] static const commands::Request& request_of(const Operation& operation);
    void note_unknown(const Operation& operation);
    void tally(const Operation& operation, const Answer& answer);

    World& world_;
    VirtualNetwork& network_;
    const ClusterChecker& checker_;
    const Plan& plan_;
    std::uint32_t number_;
    KeyHistories& histories_;
    AskNode ask_node_;
    Random random_;
    NodeId beside_;  ///< on whose side of a partition it is; 0: it reaches all
    NodeId master_;  ///< as last heard
    bool with_session_ = true, finishing_ = false, registering_ = false;
    SessionId session_;
    std::uint64_t next_sequence_ = 1, next_id_ = 1, written_ = 0;
    Rank token_;  ///< of the session: the newest that it has seen
    std::map<std::uint64_t, Operation> operations_;
    bool proved_ = false;  ///< a write that it began after finish() was acknowledged
    ClientStatistics statistics_;
    std::map<std::string, CounterTally> counters_;
};

}  // namespace tanist::sim
