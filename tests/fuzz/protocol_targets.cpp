// SPDX-License-Identifier: Apache-2.0
// What arrives over sockets: frames of nodes and clients, RESP, HTTP.
#include <algorithm>
#include <array>
#include <variant>

#include "base/ensure.h"
#include "base/random.h"
#include "client/topology.h"
#include "client/wire.h"
#include "http/request_parser.h"
#include "protocol/client_codec.h"
#include "protocol/peer_codec.h"
#include "tests/fuzz/target.h"
#include "tests/protocol/draw.h"
#include "tests/protocol/fuzz.h"

namespace tanist::fuzz {
namespace {

using Seeds = std::vector<std::string>;
constexpr std::size_t kSeedBytesMax = 1500;

std::string without_length(std::string frame) { return frame.substr(protocol::kFrameHeadBytes); }

std::string peer_frame(Random& random, std::size_t kind) {
    std::string frame;
    protocol::encode(protocol::draw_message(random, kind)).append_to(frame);
    return frame;
}
std::string request_frame(Random& random, std::size_t kind) {
    std::string frame;
    ENSURE(protocol::native::append_to(frame, protocol::draw_request(random, kind)).has_value());
    return frame;
}
std::string reply_frame(Random& random, std::size_t kind) {
    std::string frame;
    protocol::native::append_to(frame, protocol::draw_reply(random, kind));
    return frame;
}

/// One for each alternative of a variant, small enough for the tree.
template <class Variant, class Draw>
Seeds one_each(Draw&& draw) {
    Random random(1);
    Seeds seeds;
    for (std::size_t kind = 0; kind < std::variant_size_v<Variant>; ++kind) {
        std::string seed;
        do {
            seed = draw(random, kind);
        } while (seed.size() > kSeedBytesMax);
        seeds.push_back(std::move(seed));
    }
    return seeds;
}

Seeds peer_seeds() {
    return one_each<core::Body>([](Random& random, std::size_t kind) { return without_length(peer_frame(random, kind)); });
}
/// As fuzz_peer_envelope() takes them: the checksum goes, and the envelope's length shrinks to two bytes.
Seeds peer_envelope_seeds() {
    Seeds seeds = peer_seeds();
    for (std::string& seed : seeds) seed = seed.substr(4, 2) + seed.substr(8);
    return seeds;
}
Seeds request_seeds() {
    return one_each<protocol::native::RequestBody>(
        [](Random& random, std::size_t kind) { return without_length(request_frame(random, kind)); });
}
Seeds reply_seeds() {
    return one_each<protocol::native::ReplyBody>(
        [](Random& random, std::size_t kind) { return without_length(reply_frame(random, kind)); });
}
Seeds frame_seeds() {
    Random random(2);
    std::string mixed = peer_frame(random, 5);
    for (std::size_t kind = 0; kind < 3; ++kind) mixed += request_frame(random, kind) + reply_frame(random, kind);
    return {std::string(protocol::kClientPreamble) + request_frame(random, 1), protocol::peer_preamble() + peer_frame(random, 0),
            mixed.substr(0, kSeedBytesMax), std::string("\x00\x00\x00\x00\xff\xff\xff\xff", 8)};
}

/// What a client makes of a reply, whatever it had asked for.
void run_client_library(Bytes input) {
    const auto reply = protocol::native::decode_reply(input);
    if (!reply) return;
    const auto as = [&]<class Request>(std::type_identity<Request>) {
        const auto decoded = client::decode<Request>(*reply);
        ENSURE(decoded || !decoded.error().message.empty());
    };
    as(std::type_identity<client::Get>());
    as(std::type_identity<client::GetMany>());
    as(std::type_identity<client::Scan>());
    as(std::type_identity<client::Put>());
    as(std::type_identity<client::Delete>());
    as(std::type_identity<client::CompareAndSet>());
    as(std::type_identity<client::CompareAndDelete>());
    as(std::type_identity<client::Increment>());
    as(std::type_identity<client::Batch>());
    as(std::type_identity<client::GetStatus>());
    as(std::type_identity<client::Switchover>());
    client::Topology topology;
    const auto learn = [&](const protocol::native::Topology& report) {
        topology.merge(report, NodeId{1});
        ENSURE(topology.epoch() == report.epoch);
        const auto readers = topology.readers();
        ENSURE(std::ranges::find(readers, topology.master()) == readers.end());
    };
    if (const auto* hello = std::get_if<protocol::native::HelloReply>(&reply->body)) learn(hello->topology);
    if (const auto* status = std::get_if<protocol::native::StatusReply>(&reply->body)) learn(client::topology_of(*status));
    if (const auto* error = std::get_if<protocol::native::ErrorReply>(&reply->body); error && error->topology) learn(*error->topology);
}

Seeds resp_seeds() {
    return {"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
            "SET k \"a\\x00\\n b\"\r\nGET 'k'\r\nPING\n\r\n",
            "*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n",
            "*2\r\n$3\r\nGET\r\n$26000000\r\n",
            "*1048577\r\n",
            "*1\r\n$-1\r\n",
            "GET \"open\r\n"};
}

/// A request is whole at its last byte and not before; what is wrong stays wrong whatever follows.
void run_http_request(Bytes input) {
    constexpr std::size_t kHeadBytesMax = 1024;
    const std::string_view text = as_text(input);
    const auto whole = http::parse_request(text, kHeadBytesMax);
    if (const auto* parsed = std::get_if<http::ParsedRequest>(&whole)) {
        ENSURE(parsed->consumed > 0 && parsed->consumed <= text.size());
        ENSURE(parsed->request.path.starts_with('/'));
        const auto exactly = http::parse_request(text.substr(0, parsed->consumed), kHeadBytesMax);
        ENSURE(std::holds_alternative<http::ParsedRequest>(exactly));
        for (std::size_t size = 0; size < parsed->consumed; ++size) {
            ENSURE(std::holds_alternative<http::Incomplete>(http::parse_request(text.substr(0, size), kHeadBytesMax)));
        }
    } else if (const auto* bad = std::get_if<http::BadRequest>(&whole)) {
        ENSURE(bad->status >= 400 && bad->status < 600 && !bad->message.empty());
    } else {
        ENSURE(text.size() < kHeadBytesMax);  // nobody is waited for without a bound
    }
}

Seeds http_seeds() {
    return {"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
            "HEAD /livez?x=1 HTTP/1.0\r\n\r\nGET /readyz HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n",
            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            "GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET http://a/x HTTP/1.1\r\nHost : a\r\n folded\r\n\r\n",
            "\r\n\r\nGET / HTTP/2.0\r\n\r\n"};
}

constexpr std::array kTargets = {
    Target{"peer_frame", protocol::fuzz_peer, peer_seeds},
    Target{"peer_envelope", protocol::fuzz_peer_envelope, peer_envelope_seeds},
    Target{"client_request", protocol::fuzz_request, request_seeds},
    Target{"client_reply", protocol::fuzz_reply, reply_seeds},
    Target{"client_library", run_client_library, reply_seeds},
    Target{"frames", protocol::fuzz_frames, frame_seeds},
    Target{"resp_request", protocol::fuzz_resp, resp_seeds},
    Target{"http_request", run_http_request, http_seeds},
};

}  // namespace

std::span<const Target> protocol_targets() { return kTargets; }

}  // namespace tanist::fuzz
