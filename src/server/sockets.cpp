// SPDX-License-Identifier: Apache-2.0
#include "server/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <asio/connect.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/write.hpp>
#include <memory>
#include <utility>

namespace tanist::server {
namespace {

constexpr std::chrono::seconds kGoodbyeTime{1};
constexpr std::chrono::milliseconds kAcceptPause{100};

class Goodbye : public std::enable_shared_from_this<Goodbye> {
public:
    Goodbye(tcp::socket socket, std::string last_words)
        : socket_(std::move(socket)), timer_(socket_.get_executor(), kGoodbyeTime), last_words_(std::move(last_words)) {}

    void start() {
        timer_.async_wait([self = shared_from_this()](const asio::error_code&) { self->end(); });
        asio::async_write(socket_, asio::buffer(last_words_), [self = shared_from_this()](const asio::error_code& error, std::size_t) {
            if (error) return self->end();
            asio::error_code ignored;
            self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
            self->drain();
        });
    }

private:
    void drain() {
        socket_.async_read_some(asio::buffer(scrap_), [self = shared_from_this()](const asio::error_code& error, std::size_t) {
            error ? self->end() : self->drain();
        });
    }
    void end() {
        asio::error_code ignored;
        socket_.close(ignored);
        timer_.cancel();
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    std::string last_words_;
    std::array<char, 4096> scrap_;
};

}  // namespace

Status listen_on(tcp::acceptor& acceptor, const config::Endpoint& endpoint, std::string_view key) {
    if (endpoint.empty()) return {};
    const auto failed = [&](const asio::error_code& error) {
        return fail(ErrorCode::kIo, "{} = \"{}\": cannot listen there: {}", key, endpoint.to_string(), error.message());
    };
    asio::error_code error;
    tcp::resolver resolver(acceptor.get_executor());
    const auto found = resolver.resolve(endpoint.host, std::to_string(endpoint.port), tcp::resolver::passive, error);
    if (error) return failed(error);
    const tcp::endpoint address = *found.begin();
    acceptor.open(address.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && address.address().is_v6()) acceptor.set_option(asio::ip::v6_only(endpoint.host != "::"), error);
    if (!error) acceptor.bind(address, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) acceptor.non_blocking(true, error);
    if (error) return failed(error);
    return {};
}

bool is_reset(const asio::error_code& error) {
    return error == asio::error::eof || error == asio::error::connection_reset || error == asio::error::broken_pipe ||
           error == asio::error::connection_aborted;
}

Acceptor::Acceptor(tcp::acceptor acceptor, std::function<void(tcp::socket)> take)
    : acceptor_(std::move(acceptor)), pause_(acceptor_.get_executor()), take_(std::move(take)) {}

Acceptor::~Acceptor() { close(); }

void Acceptor::start() {
    if (acceptor_.is_open()) accept();
}

void Acceptor::accept() {
    acceptor_.async_accept([this](const asio::error_code& error, tcp::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (!error) {
            take_(std::move(socket));
            return accept();
        }
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](const asio::error_code& cancelled) {
            if (!cancelled) accept();
        });
    });
}

void Acceptor::close() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

std::uint16_t Acceptor::port() const {
    asio::error_code error;
    const tcp::endpoint local = acceptor_.local_endpoint(error);
    return error ? 0 : local.port();
}

void set_options(tcp::socket& socket, std::chrono::milliseconds user_timeout) {
    asio::error_code ignored;  // each is an improvement, none is needed
    socket.non_blocking(true, ignored);
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    if (user_timeout.count() > 0) {
        const auto ms = static_cast<unsigned>(user_timeout.count());
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    }
}

void limit_unsent(tcp::socket& socket, std::size_t bytes) {
    const auto limit = static_cast<unsigned>(bytes);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof limit);
}

void say_goodbye(tcp::socket socket, std::string last_words) {
    std::make_shared<Goodbye>(std::move(socket), std::move(last_words))->start();
}

}  // namespace tanist::server
