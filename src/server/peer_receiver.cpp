// SPDX-License-Identifier: Apache-2.0
#include "server/peer_receiver.h"

#include <utility>

#include "base/limits.h"
#include "server/crypto.h"

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

PeerReceiver::PeerReceiver(tcp::socket socket, core::Header self, std::shared_ptr<const PeerCredentials> credentials, Listener listener)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      self_(self),
      listener_(std::move(listener)),
      from_(name_of(socket_)),
      input_(kReadBytes),
      pieces_(kReadBytes),
      credentials_(std::move(credentials)),
      own_(Introduction::of(*credentials_)) {}

void PeerReceiver::start() {
    timer_.expires_after(kIntroductionTime);
    timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
        if (!error && self->open_ && !self->node_) self->refuse("nothing was said that names a node");
    });
    asio::error_code error;
    const std::string greeting = protocol::peer_preamble() + own_.encode();
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
    if (stage_ == Stage::kPreamble) {
        const Result<bool> greeted = protocol::take_peer_preamble(input_);
        if (!greeted) return fail(greeted.error());
        if (!*greeted) return {};
        stage_ = Stage::kIntroduction;
    }
    if (stage_ == Stage::kIntroduction) {
        if (Status taken = take_introduction_of_peer(); !taken) return taken;
    }
    if (stage_ == Stage::kProof) {
        if (Status taken = take_proof(); !taken) return taken;
    }
    while (open_ && stage_ == Stage::kMessages) {
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

Status PeerReceiver::take_introduction_of_peer() {
    auto introduction = take_introduction(input_);
    if (!introduction) return fail(introduction.error());
    if (!*introduction) return {};
    peer_ = std::move(**introduction);
    if (const std::string why = why_unwelcome(peer_, own_); !why.empty()) return fail(ErrorCode::kRefused, "{}", why);
    stage_ = own_.has_password ? Stage::kProof : Stage::kMessages;
    return {};
}

Status PeerReceiver::take_proof() {
    if (input_.unread().size() < kPeerProofBytes) return {};
    const std::string said(as_text(input_.unread().first(kPeerProofBytes)));
    input_.consume(kPeerProofBytes);
    if (!same_bytes(said, peer_proof(credentials_->password, PeerSide::kDialler, peer_, own_)))
        return fail(ErrorCode::kRefused, "{}", wrong_proof(peer_.node));
    stage_ = Stage::kMessages;
    const std::string answer = '\1' + peer_proof(credentials_->password, PeerSide::kReceiver, peer_, own_);
    asio::error_code error;
    socket_.write_some(asio::buffer(answer), error);  // a few bytes, as the greeting
    if (error) close();
    return {};
}

Status PeerReceiver::take_message(core::Message message) {
    const NodeId sender = message.header.sender.node;
    if (sender != peer_.node)
        return fail(ErrorCode::kInvalidArgument, "node {} introduced itself, and node {} speaks", peer_.node.value, sender.value);
    if (!node_) {
        if (Status welcome = listener_.identified(sender, *this); !welcome) return welcome;
        node_ = sender;
        timer_.cancel();
    }
    listener_.message(std::move(message));
    return {};
}

void PeerReceiver::refuse(const std::string& reason) {
    if (!std::exchange(open_, false)) return;
    timer_.cancel();
    listener_.refused(from_, reason);
    std::string frame(stage_ == Stage::kProof ? 1 : 0, '\0');
    protocol::encode(core::Message{self_, core::Refusal{reason}}).append_to(frame);
    say_goodbye(std::move(socket_), std::move(frame));
    listener_.gone(*this);
}

}  // namespace tanist::server
