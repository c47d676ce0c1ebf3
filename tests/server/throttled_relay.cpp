// SPDX-License-Identifier: Apache-2.0
#include "tests/server/throttled_relay.h"

#include <algorithm>
#include <asio/write.hpp>
#include <chrono>
#include <utility>

namespace tanist::server::testing {
namespace {

using asio::ip::tcp;

/// What the link itself holds, as a router's queue would: little, or the queue is the delay that is measured.
constexpr int kBufferBytes = 32 * 1024;

}  // namespace

/// Bytes of one connection, one way.
class ThrottledRelay::Direction : public std::enable_shared_from_this<Direction> {
public:
    Direction(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to, std::size_t bytes_per_second)
        : from_(std::move(from)), to_(std::move(to)), bytes_per_second_(bytes_per_second), timer_(from_->get_executor()) {}

    void read() {
        from_->async_read_some(asio::buffer(bytes_), [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
            error ? self->end() : self->wait(bytes);
        });
    }

private:
    /// As long as the link takes to carry so much.
    void wait(std::size_t bytes) {
        using Clock = std::chrono::steady_clock;
        free_at_ = std::max(free_at_, Clock::now()) + std::chrono::nanoseconds(1'000'000'000 * bytes / bytes_per_second_);
        timer_.expires_at(free_at_);
        timer_.async_wait([self = shared_from_this(), bytes](const asio::error_code& error) { error ? self->end() : self->write(bytes); });
    }
    void write(std::size_t bytes) {
        asio::async_write(*to_, asio::buffer(bytes_.data(), bytes),
                          [self = shared_from_this()](const asio::error_code& error, std::size_t) { error ? self->end() : self->read(); });
    }
    void end() {
        asio::error_code ignored;
        from_->close(ignored);
        to_->close(ignored);
    }

    std::shared_ptr<tcp::socket> from_, to_;
    const std::size_t bytes_per_second_;
    asio::steady_timer timer_;
    std::chrono::steady_clock::time_point free_at_;
    std::array<char, 8 * 1024> bytes_;
};

ThrottledRelay::ThrottledRelay(std::uint16_t target, std::size_t bytes_per_second)
    : acceptor_(io_), target_(target), bytes_per_second_(bytes_per_second) {
    acceptor_.open(tcp::v4());
    acceptor_.set_option(asio::socket_base::receive_buffer_size(kBufferBytes));  // inherited by what it accepts
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen();
    accept();
    thread_ = std::thread([this] { io_.run(); });
}

ThrottledRelay::~ThrottledRelay() {
    io_.stop();
    thread_.join();
}

void ThrottledRelay::accept() {
    acceptor_.async_accept([this](const asio::error_code& error, tcp::socket dialled) {
        if (error) return;
        connect(std::move(dialled));
        accept();
    });
}

void ThrottledRelay::connect(tcp::socket dialled) {
    auto near = std::make_shared<tcp::socket>(std::move(dialled)), far = std::make_shared<tcp::socket>(io_, tcp::v4());
    far->set_option(asio::socket_base::send_buffer_size(kBufferBytes));
    far->async_connect({asio::ip::address_v4::loopback(), target_}, [this, near, far](const asio::error_code& error) {
        if (error) return;  // both are closed: the dialler meets a reset
        std::make_shared<Direction>(near, far, bytes_per_second_)->read();
        std::make_shared<Direction>(far, near, bytes_per_second_)->read();
    });
}

}  // namespace tanist::server::testing
