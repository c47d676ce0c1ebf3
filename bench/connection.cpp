// SPDX-License-Identifier: Apache-2.0
#include "connection.h"

#include <fmt/format.h>

#include <asio/write.hpp>
#include <cstdlib>
#include <cstring>

namespace tanist::bench {

Connection::Connection(asio::io_context& loop, Run& run, std::unique_ptr<Dialect> dialect, std::uint64_t seed)
    : socket_(loop), run_(run), dialect_(std::move(dialect)), random_(seed), input_(1 << 16, '\0') {}

void Connection::start(const asio::ip::tcp::endpoint& target) {
    asio::error_code error;
    socket_.connect(target, error);
    if (error) {
        fmt::print(stderr, "tanist_load: {}:{}: {}\n", target.address().to_string(), target.port(), error.message());
        std::exit(3);
    }
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
    socket_.non_blocking(true, error);
    output_.clear();
    expected_ = dialect_->greet(output_);
    if (output_.empty()) return send_batch();
    greeting_ = true;
    send();
}

void Connection::send_batch() {
    output_.clear();
    second_halves_.clear();
    expected_ = operations_ = 0;
    while (operations_ < run_.options.pipeline && !run_.stopping && !(run_.options.load_all_keys && run_.next_key >= run_.options.keys))
        add_operation();
    if (operations_ == 0) return;
    if (run_.options.wait_replicas > 0) {
        append_command(output_, {"WAIT", std::to_string(run_.options.wait_replicas), "1000"});
        ++expected_;
    }
    sent_at_ = Time::now();
    send();
}

void Connection::add_operation() {
    ++operations_;
    ++expected_;
    if (run_.options.load_all_keys) return write_key(run_.next_key++);
    const Operation operation = run_.workload.draw(random_);
    switch (operation.kind) {
        case Kind::kReadModifyWrite: second_halves_.push_back(operation.key); [[fallthrough]];
        case Kind::kRead: return dialect_->read(output_, key_name(operation.key));
        case Kind::kUpdate:
        case Kind::kInsert: return write_key(operation.key);
        case Kind::kScan:
            if (dialect_->scan(output_, key_name(operation.key), operation.scan_rows)) return;
            fmt::print(stderr, "tanist_load: this dialect has no scans by key order: use --dialect native or etcd\n");
            std::exit(2);
    }
}

void Connection::write_key(std::uint64_t number) {
    value_.assign(run_.options.value_bytes, static_cast<char>('a' + random_.below(26)));
    dialect_->write(output_, key_name(number), value_);
}

void Connection::send_second_halves() {
    output_.clear();
    expected_ = second_halves_.size();
    for (const std::uint64_t key : second_halves_) write_key(key);
    second_halves_.clear();
    send();
}

void Connection::send() {
    asio::error_code error;
    std::size_t sent = socket_.write_some(asio::buffer(output_), error);
    if (error == asio::error::would_block) sent = 0;
    if (sent == output_.size()) return receive();
    asio::async_write(socket_, asio::buffer(output_.data() + sent, output_.size() - sent),
                      [self = shared_from_this()](const asio::error_code& failed, std::size_t) {
                          if (failed) self->note_error(failed.message());
                      });
    receive();
}

void Connection::receive() {
    if (input_.size() - filled_ < 4096) input_.resize(input_.size() * 2);
    socket_.async_read_some(asio::buffer(input_.data() + filled_, input_.size() - filled_),
                            [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
                                if (error) return self->note_error(error.message());
                                self->filled_ += bytes;
                                self->take_replies();
                            });
}

void Connection::take_replies() {
    std::string_view text(input_.data(), filled_);
    said_back_.clear();
    while (!text.empty()) {
        const Taken taken = dialect_->take(text, said_back_);
        if (taken.bytes == 0) break;
        if (!taken.error.empty()) note_error(taken.error);
        text.remove_prefix(taken.bytes);
        expected_ -= std::min<std::size_t>(taken.replies, expected_);
    }
    std::memmove(input_.data(), text.data(), text.size());
    filled_ = text.size();
    if (!said_back_.empty()) {  // a few bytes, seldom: the socket has room
        asio::error_code error;
        asio::write(socket_, asio::buffer(said_back_), error);
        if (error) return note_error(error.message());
    }
    if (expected_ > 0) return receive();
    if (!second_halves_.empty()) return send_second_halves();
    if (!greeting_) {
        const auto taken = std::chrono::duration_cast<std::chrono::nanoseconds>(Time::now() - sent_at_).count();
        run_.latencies.add(static_cast<std::uint64_t>(taken), operations_);
        run_.interval.add(static_cast<std::uint64_t>(taken), operations_);
    }
    greeting_ = false;
    send_batch();
}

void Connection::note_error(const std::string& text) {
    if (!run_.stopping && run_.errors++ == 0) run_.first_error = text;
}

}  // namespace tanist::bench
