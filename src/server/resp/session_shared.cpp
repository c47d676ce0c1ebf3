// SPDX-License-Identifier: Apache-2.0
// A session's reads that a network thread answers while the loop, and everything that it owns, stands still.
#include "server/resp/data.h"
#include "server/resp/session.h"
#include "server/resp/words.h"

namespace tanist::server {

using protocol::RespEncoder;

namespace {

constexpr std::string_view kGet = "GET";

}  // namespace

bool RespSession::may_share() const {
    const bool waits = !slots_.empty() || !held_.empty() || !get_ends_.empty() || quitting_;
    const bool is_plain = !transaction_.is_open && !tracking_ && !is_off_ && !skips_next_;
    const bool is_watched = services_.sentinel != nullptr || !services_.port.records.monitors().empty() || is_paused();
    return !waits && is_plain && !is_watched && services_.reads.admits_at_once(read_terms());
}

void RespSession::answer_shared(protocol::ReadBuffer& input) {
    if (!may_share()) return;
    is_silent_ = false;  // that was said of the command before
    static_cast<void>(take_time());
    while (!output_is_full() && !shared_fault_) {
        const auto command = decoder_.next(input);
        if (!command || !*command) break;  // an error is told again to the loop
        ++taken_;
        if (!answer_shared(**command)) {
            hold(**command);
            left_to_loop_ = true;
            break;
        }
    }
    answer_shared_gets();
}

bool RespSession::answer_shared(resp::Arguments arguments) {
    const resp::CommandTable::Row* row = find_row(arguments);
    if (row == nullptr || !resp::reads_named_keys(*this, *row, arguments) || why_not(*row, arguments)) return false;
    if (row->command->name == kGet) {
        gather_get(arguments[1]);
        ++gets_shared_;
        ran_ = row;
        if (get_ends_.size() == kGetsPerLook) static_cast<void>(answer_shared_gets());
        return true;
    }
    if (!answer_shared_gets()) return false;
    const std::size_t begin = output().size();
    RespEncoder to(output(), version_);
    const Status answered = resp::answer_from_state(*this, to, arguments);
    const bool is_error = answered && output()[begin] == '-';
    if (!answered) shared_fault_ = answered.error();
    if (!answered || is_error) {  // the loop finds the same, and counts it
        output().resize(begin);
        return false;
    }
    note_state_seen();
    ran_ = row;
    Served& served = served_.emplace_back(Served{.row = row, .microseconds = take_time()});
    if (services_.port.records.is_slow(served.microseconds)) served.words = resp::copies(arguments);
    return true;
}

/// False: there is no room for the answers of some, or the store failed.
bool RespSession::answer_shared_gets() {
    if (get_ends_.empty()) return true;
    const Result<std::size_t> answered = look_up_gets();
    if (!answered) shared_fault_ = answered.error();
    if (!answered || gets_answered_ < get_ends_.size()) return false;
    served_.push_back({.row = services_.port.commands.find(kGet), .calls = *answered, .microseconds = forget_gets()});
    return true;
}

void RespSession::settle_shared() {
    if (shared_fault_) return services_.storage_failed(*shared_fault_);
    resp::Records& records = services_.port.records;
    std::uint64_t reads = std::exchange(gets_shared_, 0);
    if (reads > 0) records.count_call(*services_.port.commands.find(kGet), reads);
    for (const Served& served : served_) {
        if (served.row->command->name == kGet) {
            records.count_time(*served.row, served.microseconds, served.calls);
            continue;
        }
        ++reads;
        records.count_call(*served.row);
        record_time(*served.row, resp::views(served.words), served.microseconds);
    }
    served_.clear();
    services_.counters.count(RequestKind::kGet, reads);
    if (shared().turns.is_shared()) services_.counters.shared_reads += reads;
    if (unsent() > 0) replied();
}

}  // namespace tanist::server
