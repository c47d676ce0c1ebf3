// SPDX-License-Identifier: Apache-2.0
#include "sim/clients.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ensure.h"
#include "sim/describe.h"
#include "sim/scenario.h"

namespace tanist::sim {
namespace {

using commands::OutcomeCode;

Duration draw(Random& random, Duration low, Duration high) {
    return Duration(
        static_cast<Duration::rep>(random.between(static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count()))));
}

/// Index of the weight that a number below their sum falls on.
template <std::size_t N>
std::size_t draw_weighted(Random& random, const std::array<std::uint32_t, N>& weights) {
    std::uint64_t sum = 0;
    for (const std::uint32_t weight : weights) sum += weight;
    std::uint64_t at = random.below(sum);
    std::size_t index = 0;
    while (at >= weights[index]) at -= weights[index++];
    return index;
}

bool same_answer(const commands::Outcome& given, const commands::Outcome& expected) {
    // A large reply is kept only as "done at LSN n", and one that was confirmed not at all (S21).
    if (given.code == OutcomeCode::kAnswerForgotten)
        return given.version.is_zero() || expected.code == OutcomeCode::kDone || expected.code == given.code;
    if (given.replayed && given.code == OutcomeCode::kConditionFailed && !given.value) {
        return expected.code == given.code && expected.failed_condition == given.failed_condition;
    }
    return given.code == expected.code && given.failed_condition == expected.failed_condition && given.value == expected.value &&
           given.version == expected.version && given.results == expected.results;
}

}  // namespace

Client::Client(World& world, VirtualNetwork& network, const ClusterChecker& checker, const Plan& plan, std::uint32_t number,
               KeyHistories& histories, AskNode ask_node)
    : world_(world),
      network_(network),
      checker_(checker),
      plan_(plan),
      number_(number),
      histories_(histories),
      ask_node_(std::move(ask_node)),
      random_(random_for(plan.seed, 1000 + number)) {
    with_session_ = !random_.chance(plan.load.without_session, 100);
    if (random_.chance(1, 2)) beside_ = plan.nodes[random_.below(plan.nodes.size())].node;
}

void Client::start() { go_on(); }

void Client::go_on() {
    world_.after(draw(random_, plan_.load.think_min, plan_.load.think_max), [this] {
        begin();
        go_on();
    });
}

void Client::begin() {
    if (finishing_ ? proved_ || !operations_.empty() : operations_.size() >= plan_.load.pipeline) return;
    if (with_session_ && session_.is_zero()) return register_session();
    Operation operation = finishing_ ? draw_write() : draw_operation();
    operation.proof = finishing_;
    operation.committed_before = checker_.committed();
    operation.begun = world_.now();
    ++statistics_.asked;
    const std::uint64_t id = next_id_++;
    operations_.emplace(id, std::move(operation));
    send(id);
}

// -- what to ask -------------------------------------------------------------------------------------------------------------------

std::string Client::draw_key(char kind, std::uint32_t bound) { return fmt::format("{}{:03}", kind, random_.below(bound)); }

std::string Client::draw_value() {
    std::string value = fmt::format("{}.{}.", number_, ++written_);
    value.resize(value.size() + random_.below(plan_.load.value_bytes_max), 'x');
    return value;
}

Client::Operation Client::draw_operation() {
    const LoadPlan& load = plan_.load;
    const bool write = draw_weighted(random_, std::array{load.puts + load.deletes + load.compare_and_sets + load.increments + load.batches,
                                                         load.reads + load.scans}) == 0;
    return write ? draw_write() : draw_read();
}

Client::Operation Client::draw_write() {
    const LoadPlan& load = plan_.load;
    commands::Request request;
    Operation operation{.is_write = true};
    switch (draw_weighted(random_, std::array{load.puts, load.deletes, load.compare_and_sets, load.increments, load.batches})) {
        case 0: request.commands.push_back(commands::Put{draw_key('k', load.keys), draw_value()}); break;
        case 1: request.commands.push_back(commands::Delete{draw_key('k', load.keys)}); break;
        case 2: {  // against what may well be the present state, so that both outcomes occur
            const std::string key = draw_key('k', load.keys);
            const Model::Cell* cell = checker_.model().at(key, checker_.committed());
            if (cell == nullptr) {
                request.conditions.push_back(commands::KeyAbsent{key});
            } else if (random_.chance(1, 2)) {
                request.conditions.push_back(commands::ValueEquals{key, *cell->value});
            } else {
                request.conditions.push_back(commands::VersionEquals{key, cell->version});
            }
            request.commands.push_back(commands::Put{key, draw_value()});
            break;
        }
        case 3:
            operation.counter = draw_key('c', load.counters);
            request.commands.push_back(commands::Increment{*operation.counter, 1});
            break;
        default: {
            const std::string key = draw_key('k', load.keys);
            request.commands.push_back(commands::Put{draw_key('k', load.keys), draw_value()});
            request.commands.push_back(commands::Increment{draw_key('b', 2), static_cast<std::int64_t>(random_.below(5)) - 2});
            request.commands.push_back(commands::Get{key});
            if (random_.chance(1, 2)) draw_words(request);
            if (random_.chance(1, 4)) request.commands.push_back(commands::Increment{key, 1});  // mostly no integer: all is taken back
            break;
        }
    }
    if (with_session_) {
        operation.sequence = next_sequence_++;
        request.session = session_;
        request.sequence = operation.sequence;
        request.lowest_unanswered = operation.sequence;
        for (const auto& [id, other] : operations_) {
            if (other.sequence != 0) request.lowest_unanswered = std::min(request.lowest_unanswered, other.sequence);
        }
    }
    const auto level = static_cast<WriteLevel>(draw_weighted(random_, std::array{load.level_master, load.level_quorum, load.level_all}));
    operation.question = Write{std::move(request), level};
    return operation;
}

/// A transaction of Redis's words about keys that expire, and that nobody reads in other ways.
void Client::draw_words(commands::Request& request) {
    constexpr std::uint64_t kLifeMsMax = 3000;
    for (std::uint64_t left = 1 + random_.below(4); left > 0; --left) {
        const std::string key = draw_key('x', 4);
        switch (random_.below(5)) {
            case 0: request.commands.push_back(commands::Redis{{"GET", key}}); break;
            case 1: request.commands.push_back(commands::Redis{{"INCRBY", key, std::to_string(random_.below(9))}}); break;
            case 2: request.commands.push_back(commands::Redis{{"PERSIST", key}}); break;
            default: {
                const std::string life = std::to_string(1 + random_.below(kLifeMsMax));
                const std::string value = random_.chance(1, 2) ? std::to_string(random_.below(100)) : draw_value();
                request.commands.push_back(commands::Redis{{"SET", key, value, "PX", life}});
            }
        }
    }
}

Client::Operation Client::draw_read() {
    const LoadPlan& load = plan_.load;
    Read read{.level =
                  static_cast<ReadLevel>(draw_weighted(random_, std::array{load.read_stale, load.read_session, load.read_linearizable}))};
    if (random_.below(load.reads + load.scans) < load.reads) {
        read.begin = random_.chance(1, 3) ? draw_key('c', load.counters) : draw_key('k', load.keys);
        read.end = read.begin + '\0';
    } else {
        read.begin = "b";
        read.end = "l";
    }
    // Seeds below 1000, and scenarios, are what mutants were hunted with.
    const bool has_bound =
        plan_.seed >= 1000 && plan_.seed < kFirstScenarioSeed && read.level != ReadLevel::kLinearizable && next_id_ % 2 == 0;
    if (has_bound) read.max_lag_ms = 50 + next_id_ * 37 % 1000;
    Operation operation{.question = std::move(read), .token_before = token_};
    std::get<Read>(operation.question).token = token_;
    return operation;
}

void Client::register_session() {
    if (registering_) return;
    registering_ = true;
    Operation operation{.question = Write{commands::RegisterSession{plan_.load.session_lifetime_ms}, WriteLevel::kQuorum}};
    operation.committed_before = checker_.committed();
    const std::uint64_t id = next_id_++;
    operations_.emplace(id, std::move(operation));
    send(id);
}

// -- asking ------------------------------------------------------------------------------------------------------------------------

NodeId Client::choose_node(const Operation& operation) {
    const bool write = std::holds_alternative<Write>(operation.question);
    if (write && !master_.is_zero() && !random_.chance(1, 20)) return master_;
    return plan_.nodes[random_.below(plan_.nodes.size())].node;
}

void Client::send(std::uint64_t id) {
    Operation& operation = operations_.at(id);
    const NodeId node = choose_node(operation);
    const std::uint64_t attempt = ++operation.attempt;
    if (world_.trace().prints()) {
        world_.print("client {} asks node {}, {}.{}: {}", number_, node.value, id, attempt, describe(operation.question));
    }
    const Reply reply = [this, id, attempt, node](Answer answer) {
        network_.post_to_client(node, beside_, [this, id, attempt, answer = std::move(answer)] { take(id, attempt, answer); });
    };
    network_.post_to_node(
        beside_, node, [this, node, question = operation.question, reply] { ask_node_(node, question, reply); },
        [this, id, attempt] { take(id, attempt, {.verdict = Verdict::kRefused}); });
    world_.after(plan_.load.patience, [this, id, attempt] {
        const auto at = operations_.find(id);
        if (at != operations_.end() && at->second.attempt == attempt) retry(id, true);
    });
}

void Client::retry(std::uint64_t id, bool may_have_been_executed) {
    Operation& operation = operations_.at(id);
    master_ = may_have_been_executed ? NodeId{} : master_;
    operation.sent_unanswered |= may_have_been_executed;
    if (operation.is_write && operation.sequence == 0 && operation.sent_unanswered)
        return end_unknown(id);  // twice would be two executions
    ++statistics_.retries;
    ++operation.attempt;  // a late answer to the last attempt counts no more
    if (auto* read = std::get_if<Read>(&operation.question)) {
        read->token = operation.token_before = token_;
        operation.committed_before = checker_.committed();
        operation.begun = world_.now();
    }
    world_.after(draw(random_, 1ms, 30ms), [this, id, attempt = operation.attempt] {
        const auto at = operations_.find(id);
        if (at != operations_.end() && at->second.attempt == attempt) send(id);
    });
}

void Client::end(std::uint64_t id) {
    const auto at = operations_.find(id);
    if (std::holds_alternative<Write>(at->second.question) && !at->second.is_write) registering_ = false;
    operations_.erase(at);
}

void Client::end_unknown(std::uint64_t id) {
    const Operation& operation = operations_.at(id);
    ++statistics_.unknown;
    note_unknown(operation);
    if (operation.counter) ++counters_[*operation.counter].unknown;
    end(id);
}

// -- answers -----------------------------------------------------------------------------------------------------------------------

void Client::take(std::uint64_t id, std::uint64_t attempt, Answer answer) {
    const auto at = operations_.find(id);
    if (at == operations_.end()) return;
    Operation& operation = at->second;
    const bool late = operation.attempt != attempt;
    if (late && answer.verdict != Verdict::kDone) return;  // but a late "done" is as good as any, for what is sent twice on purpose
    if (late && (!operation.is_write || operation.sequence == 0)) return;
    if (world_.trace().prints()) {
        world_.print("client {} is answered by node {}, {}.{}: {}", number_, answer.from.value, id, attempt, describe(answer));
    }
    switch (answer.verdict) {
        case Verdict::kRefused:
            ++statistics_.refused;
            master_ = answer.master_hint;
            return retry(id, false);
        case Verdict::kUnknown: return retry(id, true);
        case Verdict::kStaleToken:
            ++statistics_.stale_tokens;
            check_stale_token(operation);
            token_ = {};
            return retry(id, false);
        case Verdict::kDone: break;
    }
    if (std::holds_alternative<Read>(operation.question)) {
        check_read(operation, answer);
        const Read& read = std::get<Read>(operation.question);
        if (read.level == ReadLevel::kLinearizable) histories_.add_read(read.begin, read.end, answer.rows, operation.begun, world_.now());
        token_ = std::max(token_, answer.applied);
        ++statistics_.done;
        return end(id);
    }
    take_write(id, operation, answer);
}

void Client::take_write(std::uint64_t id, Operation& operation, const Answer& answer) {
    master_ = answer.from;
    check_write(operation, answer);
    if (answer.outcome && answer.outcome->code == OutcomeCode::kSessionExpired) {
        ++statistics_.expired;
        session_ = {};
        token_ = {};
        return end_unknown(id);
    }
    if (!operation.is_write) {  // a registration
        session_ = {answer.outcome->version.value};
        next_sequence_ = 1;
        return end(id);
    }
    token_ = std::max(token_, answer.rank);
    tally(operation, answer);
    // At level `master` it is in one log, and maybe never committed.
    if (answer.outcome) {
        histories_.add_write(request_of(operation), *answer.outcome, operation.begun, world_.now());
    } else {
        note_unknown(operation);
    }
    ++statistics_.done;
    proved_ |= operation.proof;
    end(id);
}

const commands::Request& Client::request_of(const Operation& operation) {
    return std::get<commands::Request>(std::get<Write>(operation.question).logged);
}

void Client::note_unknown(const Operation& operation) {
    if (operation.is_write) histories_.add_unknown(request_of(operation), operation.begun);
}

void Client::note_unanswered() {
    for (const auto& [id, operation] : operations_) note_unknown(operation);
}

void Client::tally(const Operation& operation, const Answer& answer) {
    if (!operation.counter || !answer.outcome) return;
    CounterTally& counter = counters_[*operation.counter];
    if (answer.outcome->code != OutcomeCode::kDone) {
        if (answer.outcome->code == OutcomeCode::kAnswerForgotten) ++counter.unknown;
        return;
    }
    std::int64_t value = 0;
    const std::string& text = *answer.outcome->results.at(0).value;
    std::from_chars(text.data(), text.data() + text.size(), value);
    ++counter.acknowledged;
    ++counter.values[value];
}

// -- checks ------------------------------------------------------------------------------------------------------------------------

void Client::check_write(const Operation& operation, const Answer& answer) {
    const Lsn lsn = answer.rank.lsn;
    if (!answer.outcome) {
        // Level `master`: on that master's disk when it was said; whether it stays is not promised.
        ENSURE(answer.reached == WriteLevel::kMaster);
        return;
    }
    if (lsn > checker_.model().applied())
        return world_.fail("client {}: write acknowledged at lsn={} before anybody applied it", number_, lsn.value);
    if (checker_.committed_at(lsn).epoch != answer.rank.epoch) {
        return world_.fail("client {}: write acknowledged at epoch={} lsn={}, where epoch={} is committed", number_,
                           answer.rank.epoch.value, lsn.value, checker_.committed_at(lsn).epoch.value);
    }
    if (lsn <= operation.committed_before) {
        return world_.fail("client {}: write acknowledged at lsn={}, and lsn={} had been applied before it was sent", number_, lsn.value,
                           operation.committed_before.value);
    }
    const auto outcomes = checker_.model().outcomes(lsn);
    if (answer.item >= outcomes.size())
        return world_.fail("client {}: the entry at lsn={} has no item {}", number_, lsn.value, answer.item);
    const commands::Outcome& expected = outcomes[answer.item];
    if (!same_answer(*answer.outcome, expected)) {
        world_.fail("client {}: the request at lsn={} item={} was answered code={} version={}, and the model says code={} version={}",
                    number_, lsn.value, answer.item, static_cast<int>(answer.outcome->code), answer.outcome->version.value,
                    static_cast<int>(expected.code), expected.version.value);
    }
}

/// S18: only an entry that was never committed is said to be gone.
void Client::check_stale_token(const Operation& operation) {
    const Rank token = operation.token_before;
    if (token.lsn > checker_.committed() || checker_.committed_at(token.lsn).epoch != token.epoch) return;
    world_.fail("client {}: the session was told that epoch={} lsn={} is gone, and it is committed", number_, token.epoch.value,
                token.lsn.value);
}

/// S18: what is missing in the answer had not been committed for as long as its bound when the read began. Clocks drift by up to 1 %.
void Client::check_lag(const Operation& operation, const Read& read, const Answer& answer) {
    const Lsn missing = answer.applied.lsn.next();
    if (read.max_lag_ms == 0 || missing > checker_.committed()) return;
    const Duration bound = Duration(read.max_lag_ms * 1000) * 102 / 100 + 2ms;
    if (checker_.committed_since(missing) + bound >= operation.begun) return;
    world_.fail("client {}: read from node {} with max_lag_ms={} at lsn={}, and lsn={} had been committed {} us before it began", number_,
                answer.from.value, read.max_lag_ms, answer.applied.lsn.value, missing.value,
                (operation.begun - checker_.committed_since(missing)).count());
}

void Client::check_read(const Operation& operation, const Answer& answer) {
    const Read& read = std::get<Read>(operation.question);
    const Lsn applied = answer.applied.lsn;
    if (applied > checker_.committed()) return world_.fail("client {}: read at lsn={} which nobody applied", number_, applied.value);
    if (read.level == ReadLevel::kLinearizable && applied < operation.committed_before) {
        return world_.fail("client {}: linearizable read from node {} at lsn={}, and lsn={} had been applied before it began", number_,
                           answer.from.value, applied.value, operation.committed_before.value);
    }
    if (read.level == ReadLevel::kSession && applied < operation.token_before.lsn) {
        return world_.fail("client {}: session read from node {} at lsn={}, and the session had seen lsn={}", number_, answer.from.value,
                           applied.value, operation.token_before.lsn.value);
    }
    check_lag(operation, read, answer);
    const auto expected = checker_.model().range(read.begin, read.end, applied);
    const bool same = std::ranges::equal(answer.rows, expected, [](const commands::KeyValue& row, const auto& e) {
        return row.key == e.first && row.value == *e.second->value && row.version == e.second->version;
    });
    if (!same) {
        world_.fail("client {}: read of [{}, …) from node {} at lsn={} gave {} rows, other than the {} that were there", number_,
                    read.begin, answer.from.value, applied.value, answer.rows.size(), expected.size());
    }
}

}  // namespace tanist::sim
