// SPDX-License-Identifier: Apache-2.0
// etcd's API v3 as unary gRPC calls: just enough of HTTP/2 (RFC 9113) and HPACK (RFC 7541) for a client that sends small requests
// and needs of the replies only where they end. So it costs the server what any gRPC client does, and this program little.
#include <fmt/format.h>

#include <array>
#include <set>

#include "base/bytes.h"
#include "dialect.h"

namespace tanist::bench {
namespace {

enum FrameType : std::uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7, kWindowUpdate = 8 };
constexpr std::uint8_t kAck = 1, kEndStream = 1, kEndHeaders = 4;
constexpr std::size_t kFrameHead = 9;
constexpr std::uint32_t kWindowMax = 0x7fff'ffff, kWindowInitial = 65535;

void append_be(std::string& out, std::uint32_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}
std::uint32_t load_be(std::string_view in, std::size_t at, int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<std::uint8_t>(in[at + static_cast<std::size_t>(i)]);
    return value;
}

void append_frame(std::string& out, FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    append_be(out, static_cast<std::uint32_t>(payload.size()), 3);
    out.push_back(static_cast<char>(type));
    out.push_back(static_cast<char>(flags));
    append_be(out, stream, 4);
    out += payload;
}

/// Protobuf: a field of wire type 2, and a varint field.
void append_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
}
void append_bytes(std::string& out, unsigned field, std::string_view bytes) {
    append_varint(out, field << 3 | 2);
    append_varint(out, bytes.size());
    out += bytes;
}
void append_number(std::string& out, unsigned field, std::uint64_t value) {
    append_varint(out, field << 3);
    append_varint(out, value);
}

/// A HPACK string shorter than 127 bytes, not compressed.
void append_literal(std::string& out, std::string_view text) {
    out.push_back(static_cast<char>(text.size()));
    out += text;
}

class EtcdDialect final : public Dialect {
public:
    explicit EtcdDialect(const DialectOptions& options)
        : authority_(options.authority), serializable_(options.read_level == "stale" || options.read_level == "session") {}

    unsigned greet(std::string& out) override {
        out += "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        std::string settings;  // INITIAL_WINDOW_SIZE: replies are never held back
        append_be(settings, 4, 2);
        append_be(settings, kWindowMax, 4);
        append_frame(out, kSettings, 0, 0, settings);
        std::string window;
        append_be(window, kWindowMax - kWindowInitial, 4);
        append_frame(out, kWindowUpdate, 0, 0, window);
        return 0;
    }

    void read(std::string& out, std::string_view key) override {
        std::string request;
        append_bytes(request, 1, key);
        if (serializable_) append_number(request, 7, 1);
        call(out, "/etcdserverpb.KV/Range", request);
    }
    void write(std::string& out, std::string_view key, std::string_view value) override {
        std::string request;
        append_bytes(request, 1, key);
        append_bytes(request, 2, value);
        call(out, "/etcdserverpb.KV/Put", request);
    }
    bool scan(std::string& out, std::string_view from, std::uint32_t rows) override {
        std::string request;
        append_bytes(request, 1, from);
        append_bytes(request, 2, std::string_view("\0", 1));  // to the end
        append_number(request, 3, rows);
        if (serializable_) append_number(request, 7, 1);
        call(out, "/etcdserverpb.KV/Range", request);
        return true;
    }

    Taken take(std::string_view in, std::string& out) override {
        if (in.size() < kFrameHead) return {};
        const std::size_t size = kFrameHead + load_be(in, 0, 3);
        if (in.size() < size) return {};
        const auto flags = static_cast<std::uint8_t>(in[4]);
        const std::uint32_t stream = load_be(in, 5, 4);
        const std::string_view payload = in.substr(kFrameHead, size - kFrameHead);
        switch (static_cast<std::uint8_t>(in[3])) {
            case kData:
                if (!payload.empty()) answered_.insert(stream);
                return {size, 0, {}};
            case kHeaders:  // the second of a stream ends it; a call that failed has no data before that
                if ((flags & kEndStream) == 0) return {size, 0, {}};
                return {size, 1, answered_.erase(stream) == 1 ? "" : "a call ended without a reply"};
            case kReset: return {size, 1, "a call was reset"};
            case kGoAway:
                return {size, 1,
                        fmt::format("the server ends the connection: {}", payload.substr(std::min<std::size_t>(8, payload.size())))};
            case kSettings:
                if ((flags & kAck) == 0) append_frame(out, kSettings, kAck, 0, {});
                return {size, 0, {}};
            case kPing:
                if ((flags & kAck) == 0) append_frame(out, kPing, kAck, 0, payload);
                return {size, 0, {}};
            default: return {size, 0, {}};
        }
    }

private:
    /// The fields that all calls share are in HPACK's dynamic table from the first call on, as with any gRPC client.
    void append_headers(std::string& block, std::string_view path) {
        block += "\x83\x86";  // :method POST, :scheme http
        block.push_back(0x04);
        append_literal(block, path);
        if (next_stream_ > 1) {
            block += "\xc0\xbf\xbe";
            return;
        }
        block.push_back(0x41);
        append_literal(block, authority_);
        block.push_back(0x5f);
        append_literal(block, "application/grpc");
        block.push_back(0x40);
        append_literal(block, "te");
        append_literal(block, "trailers");
    }

    void call(std::string& out, std::string_view path, std::string_view request) {
        std::string headers, data;
        append_headers(headers, path);
        append_frame(out, kHeaders, kEndHeaders, next_stream_, headers);
        data.push_back(0);  // not compressed
        append_be(data, static_cast<std::uint32_t>(request.size()), 4);
        data += request;
        append_frame(out, kData, kEndStream, next_stream_, data);
        next_stream_ += 2;
    }

    const std::string authority_;
    const bool serializable_;
    std::uint32_t next_stream_ = 1;
    std::set<std::uint32_t> answered_;  ///< calls whose reply has come, and whose end has not
};

}  // namespace

std::unique_ptr<Dialect> make_etcd_dialect(const DialectOptions& options) { return std::make_unique<EtcdDialect>(options); }

}  // namespace tanist::bench
