// SPDX-License-Identifier: Apache-2.0
#include "server/peer_receiver.h"

#include <utility>

#include "base/limits.h"

namespace tanist::server {
namespace {

/// Who has not said who it is by then is no peer.
constexpr std::chrono::seconds kIntroductionTime{5};
/// Large, so that one read takes in what a fast master sends during one fdatasync.
constexpr std::size_t kReadBytes = 256 * limits::kKiB;

std::string name_of(const tcp::socket& socket) {
    asio::error_code error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    return error ? "?" : fmt::format("{}:{}", remote.address().to_string(), remote.port());
}

}  // namespace

PeerReceiver::PeerReceiver(tcp::socket socket, core::Header self, Listener listener)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      self_(self),
      listener_(std::move(listener)),
      from_(name_of(socket_)),
      input_(kReadBytes),
      pieces_(kReadBytes) {}

void PeerReceiver::start() {
    timer_.expires_after(kIntroductionTime);
    timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
        if (!error && self->open_ && !self->node_) self->refuse("nothing was said that names a node");
    });
    asio::error_code error;
    const std::string greeting = protocol::peer_preamble();
    socket_.write_some(asio::buffer(greeting), error);  // a few bytes into an empty socket: all of them, or it is broken
    error ? close() : read();
}

void PeerReceiver::close() {
    if (!std::exchange(open_, false)) return;
    asio::error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
    listener_.gone(*this);
}

void PeerReceiver::read() {
    const auto room = input_.prepare();
    socket_.async_read_some(asio::buffer(room.data(), room.size()),
                            [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) { self->on_read(error, bytes); });
}

void PeerReceiver::on_read(const asio::error_code& error, std::size_t bytes) {
    if (!open_) return;
    if (error) {
        if (node_ && is_reset(error)) listener_.reset(*node_);
        return close();
    }
    bytes_received_ += bytes;
    input_.commit(bytes);
    const Status taken = take_input();
    if (!open_) return;
    taken ? read() : refuse(taken.error().message);
}

Status PeerReceiver::take_input() {
    if (!greeted_) {
        const Result<bool> greeted = protocol::take_peer_preamble(input_);
        if (!greeted) return fail(greeted.error());
        if (!*greeted) return {};
        greeted_ = true;
    }
    while (open_) {
        const auto frame = protocol::next_frame_of_pieces(input_, pieces_);
        if (!frame) return fail(frame.error());
        if (!*frame) return {};
        auto message = protocol::decode_message(**frame);
        if (message) {
            if (Status taken = take_message(std::move(*message)); !taken) return taken;
        } else if (message.error().code == ErrorCode::kCorrupt) {
            return fail(message.error());
        } else {
            listener_.refused(from_, message.error().message);  // a whole frame that we do not understand: the next may be fine
        }
    }
    return {};
}

Status PeerReceiver::take_message(core::Message message) {
    const NodeId sender = message.header.sender.node;
    if (!node_) {
        if (Status welcome = listener_.identified(sender, *this); !welcome) return welcome;
        node_ = sender;
        timer_.cancel();
    }
    if (sender != *node_)
        return fail(ErrorCode::kInvalidArgument, "a connection of node {} carries a message of node {}", node_->value, sender.value);
    listener_.message(std::move(message));
    return {};
}

void PeerReceiver::refuse(const std::string& reason) {
    if (!std::exchange(open_, false)) return;
    timer_.cancel();
    listener_.refused(from_, reason);
    std::string frame;
    protocol::encode(core::Message{self_, core::Refusal{reason}}).append_to(frame);
    say_goodbye(std::move(socket_), std::move(frame));
    listener_.gone(*this);
}

}  // namespace tanist::server
