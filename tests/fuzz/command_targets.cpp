// SPDX-License-Identifier: Apache-2.0
// What clients' words do to the state: payloads of entries, whole logs of commands, patterns.
#include <array>
#include <memory>

#include "base/ensure.h"
#include "commands/redis/glob.h"
#include "commands/redis/table.h"
#include "commands/request.h"
#include "commands/state_machine.h"
#include "store/memory_store.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace tanist::fuzz {
namespace {

using namespace commands;
using Seeds = std::vector<std::string>;

// -- payloads --------------------------------------------------------------------------------------------------------------

/// What can be decoded is encoded to the size foretold, and decodes to the same.
void run_payload(Bytes input) {
    const auto items = decode_payload(as_text(input));
    if (!items) return;
    std::string again;
    std::size_t bytes = 0;
    for (const Logged& item : *items) {
        append_to(again, item);
        bytes += encoded_bytes(item);
        if (const Status limits = check_limits(item); !limits) ENSURE(limits.error().code == ErrorCode::kInvalidArgument);
    }
    ENSURE(again.size() == bytes);
    const auto second = decode_payload(again);
    ENSURE(second.has_value());
    ENSURE(*second == *items);
}

Seeds payload_seeds() {
    const std::vector<Logged> items = {
        Request{.commands = {Put{"k", "v"}, Get{"k"}, Delete{"k"}, Increment{"n", -3}, Redis{{"SET", "k", "v", "NX"}}}},
        Request{.session = {7}, .sequence = 2, .lowest_unanswered = 1, .conditions = {KeyExists{"k"}, ValueEquals{"k", "v"}}},
        Request{.conditions = {KeyAbsent{"k"}, VersionEquals{"k", {9}}}, .commands = {Put{"", ""}}},
        RegisterSession{60'000},
        KeepSession{{7}, 3},
        CloseSession{{7}}};
    Seeds seeds;
    std::string all;
    for (const Logged& item : items) {
        append_to(seeds.emplace_back(), item);
        append_to(all, item);
    }
    seeds.push_back(all);
    return seeds;
}

// -- the state machine -----------------------------------------------------------------------------------------------------

/// Words that mean something to some command; numbers at the edges of what is taken.
constexpr std::array kWords = {"k",
                               "n",
                               "key:1",
                               "key:2",
                               "",
                               "0",
                               "1",
                               "-1",
                               "10",
                               "63",
                               "64",
                               "100000",
                               "999999999",
                               "-9999",
                               "2.5",
                               "-0.0",
                               "1e308",
                               "nan",
                               "inf",
                               "9223372036854775807",
                               "-9223372036854775808",
                               "18446744073709551615",
                               "EX",
                               "PX",
                               "EXAT",
                               "PXAT",
                               "KEEPTTL",
                               "NX",
                               "XX",
                               "GT",
                               "LT",
                               "GET",
                               "PERSIST",
                               "SET",
                               "INCRBY",
                               "OVERFLOW",
                               "WRAP",
                               "SAT",
                               "FAIL",
                               "u8",
                               "i64",
                               "u63",
                               "i1",
                               "#1",
                               "AND",
                               "NOT",
                               "BIT",
                               "BYTE",
                               "LEN",
                               "IDX",
                               "MINMATCHLEN",
                               "WITHMATCHLEN",
                               "MATCH",
                               "COUNT",
                               "TYPE",
                               "string",
                               "*",
                               "k*",
                               "[a-k]?",
                               "REPLACE",
                               "DB",
                               "ENCODING",
                               "FREQ",
                               "USAGE",
                               "ASYNC",
                               "HELP"};

std::string draw_word(Input& input) {
    const std::uint8_t choice = input.byte();
    return choice < 0xe0 ? kWords[choice % kWords.size()] : input.text();
}
std::string draw_key(Input& input) { return kWords[input.below(5)]; }

/// A command of the table, most of the time with as many words as it takes.
Redis draw_redis(Input& input) {
    const auto& row = redis::table()[input.below(redis::table().size())];
    Redis command{{std::string(row.name)}};
    const auto arity = static_cast<std::size_t>(row.arity < 0 ? -row.arity : row.arity);
    const std::size_t more = row.arity < 0 ? input.below(8) : input.below(32) == 31 ? 1 : 0;
    for (std::size_t i = 1; i < arity + more; ++i)
        command.words.push_back(row.is_key(i, arity + more) ? draw_key(input) : draw_word(input));
    return command;
}

Command draw_command(Input& input) {
    switch (input.below(8)) {
        case 0: return Put{draw_key(input), draw_word(input)};
        case 1: return Delete{draw_key(input)};
        case 2: return Increment{draw_key(input), static_cast<std::int64_t>(input.number())};
        case 3: return Get{draw_key(input)};
        default: return draw_redis(input);
    }
}
Condition draw_condition(Input& input) {
    switch (input.below(4)) {
        case 0: return KeyExists{draw_key(input)};
        case 1: return KeyAbsent{draw_key(input)};
        case 2: return ValueEquals{draw_key(input), draw_word(input)};
        default: return VersionEquals{draw_key(input), {input.number()}};
    }
}
Logged draw_item(Input& input) {
    const std::size_t kind = input.below(16);
    if (kind == 0) return RegisterSession{input.number()};
    if (kind == 1) return KeepSession{{input.below(8)}, input.number()};
    if (kind == 2) return CloseSession{{input.below(8)}};
    Request request;
    if (kind < 8) request = {.session = {input.below(8)}, .sequence = input.number(), .lowest_unanswered = input.number()};
    for (std::size_t n = kind == 8 ? input.below(3) : 0; n > 0; --n) request.conditions.push_back(draw_condition(input));
    for (std::size_t n = 1 + input.below(4); n > 0; --n) request.commands.push_back(draw_command(input));
    return request;
}

/// Entries that follow each other; their payloads are items, or anything at all.
std::vector<Entry> draw_log(Input& input) {
    constexpr std::size_t kEntriesMax = 64;
    constexpr std::uint64_t kTimeStepMax = std::uint64_t{1} << 40;
    std::vector<Entry> entries;
    EntryId last;
    std::uint64_t now = 1'000'000;
    while (!input.empty() && entries.size() < kEntriesMax) {
        const std::uint8_t choice = input.byte();
        now += (choice & 0x80) != 0 ? input.number() % kTimeStepMax : 1;  // log time is the master's, and no client's to choose
        EntryKind kind = EntryKind::kCommands;
        std::string payload;
        switch (choice % 16) {
            case 0: payload = input.text(); break;
            case 1: kind = EntryKind::kTick; break;
            case 2: kind = EntryKind::kEpochStart; break;
            case 3: kind = EntryKind::kMembership, payload = input.text(); break;
            default:
                for (std::size_t n = 1 + choice % 3; n > 0; --n) append_to(payload, draw_item(input));
        }
        entries.push_back(Entry::make(Epoch{1}, last, now, kind, payload));
        last = entries.back().id();
    }
    return entries;
}

struct Machine {
    std::shared_ptr<store::DurableImage> image = std::make_shared<store::DurableImage>();
    std::unique_ptr<store::Store> store = store::open_memory_store(image);
    std::unique_ptr<StateMachine> state = StateMachine::open(*store).value();

    void restart() {
        ENSURE(store->flush().has_value());
        state.reset();
        store = store::open_memory_store(image);
        auto opened = StateMachine::open(*store);
        ENSURE(opened.has_value());
        state = std::move(*opened);
    }
};

void expect_same(const Machine& a, const Machine& b) {
    ENSURE(a.state->position() == b.state->position());
    ENSURE(a.store->digest().value() == b.store->digest().value());
    ENSURE(a.state->membership() == b.state->membership());
    ENSURE(a.state->sessions() == b.state->sessions());
    ENSURE(a.state->next_due() == b.state->next_due());
}

/// No content ends the process or is an error of the state machine (S12). The same log gives the same state and the same outcomes,
/// whether its entries come one by one, all at once, or with a restart in between; and reading answers without an error.
void run_state_machine(Bytes bytes) {
    Input input(bytes);
    const std::size_t restart_before = input.below(32);
    const auto entries = draw_log(input);
    Machine one_by_one, at_once;
    std::vector<Applied> outcomes, outcomes_at_once;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (i == restart_before) one_by_one.restart();
        ENSURE(one_by_one.state->apply(std::span(&entries[i], 1), &outcomes).has_value());
    }
    if (!entries.empty()) ENSURE(at_once.state->apply(entries, &outcomes_at_once).has_value());
    ENSURE(outcomes.size() == outcomes_at_once.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) ENSURE(outcomes[i].outcomes == outcomes_at_once[i].outcomes);
    expect_same(one_by_one, at_once);

    Input again(bytes);
    for (int reads = 0; reads < 8 && !again.empty(); ++reads) {
        const Redis command = draw_redis(again);
        const std::vector<std::string_view> words(command.words.begin(), command.words.end());
        const std::uint64_t clock = at_once.state->position().timestamp;
        const auto reply = at_once.state->read(words, clock, 7);
        ENSURE(reply.has_value());
        const auto other = one_by_one.state->read(words, clock, 7);
        ENSURE(other.has_value() && *other == *reply);
    }
}

/// Choices that hit every command of the table, a few at a time.
Seeds state_machine_seeds() {
    Seeds seeds;
    for (std::size_t first = 0; first < redis::table().size(); first += 6) {
        std::string seed(1, '\x0a');
        for (std::size_t row = first; row < first + 6; ++row) {
            // An entry with one item, a request without a session, of one command: the table's `row`, its words one by one.
            seed += {'\x06', '\x09', '\x00', '\x04', static_cast<char>(row), '\x02'};
            for (char word = 0; word < 6; ++word) seed += static_cast<char>(row * 7 + word);
        }
        seeds.push_back(seed);
    }
    return seeds;
}

// -- patterns --------------------------------------------------------------------------------------------------------------

/// Whether the element at the front of `pattern` takes `byte`; and takes it off. Written after Redis's description, not after ours.
bool takes(std::string_view& pattern, unsigned char byte) {
    const auto pop = [&] {
        const auto c = static_cast<unsigned char>(pattern.front());
        pattern.remove_prefix(1);
        return c;
    };
    const unsigned char first = pop();
    if (first == '?') return true;
    if (first == '\\' && !pattern.empty()) return pop() == byte;
    if (first != '[') return first == byte;
    const bool negated = pattern.starts_with('^');
    if (negated) pop();
    bool in_class = false;
    for (;;) {
        if (pattern.empty()) break;
        unsigned char low = pop();
        if (low == ']') break;
        if (low == '\\' && !pattern.empty()) {
            in_class |= pop() == byte;
        } else if (pattern.size() >= 2 && pattern.front() == '-') {
            pop();
            unsigned char high = pop();
            if (low > high) std::swap(low, high);
            in_class |= low <= byte && byte <= high;
        } else {
            in_class |= low == byte;
        }
    }
    return in_class != negated;
}

/// All places of a text that a pattern can have reached, moved on element by element.
bool slowly_matches(std::string_view pattern, std::string_view text) {
    std::vector<bool> reached(text.size() + 1);
    reached[0] = true;
    while (!pattern.empty()) {
        if (pattern.front() == '*') {
            pattern.remove_prefix(1);
            for (std::size_t i = 0; i < text.size(); ++i) reached[i + 1] = reached[i + 1] || reached[i];
            continue;
        }
        std::vector<bool> next(text.size() + 1);
        std::string_view rest = pattern;
        takes(rest, 0);  // an element is as long whatever it is asked
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::string_view element = pattern;
            next[i + 1] = reached[i] && takes(element, static_cast<unsigned char>(text[i]));
        }
        reached = next;
        pattern = rest;
    }
    return reached.back();
}

void run_glob(Bytes bytes) {
    Input input(bytes);
    const std::string pattern = input.text();
    const auto text = as_text(input.take(256));
    const bool matches = redis::glob_matches(pattern, text);
    ENSURE(matches == slowly_matches(pattern, text));
    if (matches) ENSURE(text.starts_with(redis::literal_prefix(pattern)));
}

Seeds glob_seeds() {
    Seeds seeds;
    for (const std::string pattern : {"a*b?c", "[a-c]x", "[^z-x]*", "\\*[\\]]", "k[", "*a*a*a*a*b", "[a-", "[]x]"}) {
        seeds.push_back(std::string(1, static_cast<char>(pattern.size())) + pattern + "aaxbbc]");
    }
    return seeds;
}

constexpr std::array kTargets = {
    Target{"payload", run_payload, payload_seeds},
    Target{"state_machine", run_state_machine, state_machine_seeds},
    Target{"glob", run_glob, glob_seeds},
};

}  // namespace

std::span<const Target> command_targets() { return kTargets; }

}  // namespace tanist::fuzz
