// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <set>
#include <utility>

#include "http/connection.h"

namespace tanist::http {
namespace {

using asio::ip::tcp;

// Out of file descriptors: the next try waits, or the loop would spin until one is free.
constexpr std::chrono::milliseconds kAcceptRetry{100};

Result<tcp::acceptor> bind(asio::io_context& context, const std::string& host, std::uint16_t port) {
    asio::error_code error;
    tcp::resolver resolver(context);
    const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
    if (error || found.empty()) {
        return fail(ErrorCode::kInvalidArgument, "http: the address {} cannot be found: {}", host, error.message());
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    tcp::acceptor acceptor(context);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) {
        const ErrorCode code = error == asio::error::address_in_use ? ErrorCode::kLocked : ErrorCode::kIo;
        return fail(code, "http: cannot listen on {} port {}: {}", host, port, error.message());
    }
    return acceptor;
}

}  // namespace

class HttpServer::Listener : public std::enable_shared_from_this<Listener> {
public:
    Listener(tcp::acceptor acceptor, std::shared_ptr<const Service> service)
        : acceptor_(std::move(acceptor)), retry_(acceptor_.get_executor()), service_(std::move(service)) {
        asio::error_code ignored;
        port_ = acceptor_.local_endpoint(ignored).port();
    }

    void accept() {
        acceptor_.async_accept([self = shared_from_this()](const asio::error_code& error, tcp::socket socket) {
            if (!self->acceptor_.is_open()) return;
            if (error) return self->retry();
            self->take(std::move(socket));
            self->accept();
        });
    }

    void close() {
        asio::error_code ignored;
        acceptor_.close(ignored);
        retry_.cancel();
        for (const auto& connection : std::exchange(connections_, {})) connection->close();
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::size_t connections() const { return connections_.size(); }

private:
    void take(tcp::socket socket) {
        const std::size_t max = service_->limits.connections_max;
        if (connections_.size() >= 2 * max) return;  // as many again wait for their refusal to be read: the socket closes here
        auto connection = std::make_shared<Connection>(std::move(socket), service_, [self = weak_from_this()](const auto& closed) {
            if (const auto listener = self.lock()) listener->connections_.erase(closed);
        });
        const bool refused = connections_.size() >= max;
        connections_.insert(connection);
        refused ? connection->refuse() : connection->start();
    }

    void retry() {
        retry_.expires_after(kAcceptRetry);
        retry_.async_wait([self = shared_from_this()](const asio::error_code& error) {
            if (!error && self->acceptor_.is_open()) self->accept();
        });
    }

    tcp::acceptor acceptor_;
    asio::steady_timer retry_;
    std::shared_ptr<const Service> service_;
    std::set<std::shared_ptr<Connection>> connections_;
    std::uint16_t port_ = 0;
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& context, const std::string& host, std::uint16_t port,
                                                       std::vector<Route> routes, HttpLimits limits) {
    auto acceptor = bind(context, host, port);
    if (!acceptor) return fail(std::move(acceptor.error()));
    auto service = std::make_shared<const Service>(Service{std::move(routes), limits});
    auto listener = std::make_shared<Listener>(std::move(*acceptor), std::move(service));
    listener->accept();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
}

HttpServer::HttpServer(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}
HttpServer::~HttpServer() { close(); }
std::uint16_t HttpServer::port() const { return listener_->port(); }
std::size_t HttpServer::connections() const { return listener_->connections(); }
void HttpServer::close() { listener_->close(); }

}  // namespace tanist::http
