// SPDX-License-Identifier: Apache-2.0
#include "dialect.h"

#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

#include "protocol/client_codec.h"

namespace tanist::bench {
namespace {

// -- RESP --------------------------------------------------------------------------------------------------------------------

/// Of GET, SET, WAIT and errors: no aggregates.
class RespDialect final : public Dialect {
public:
    explicit RespDialect(const DialectOptions& options) : options_(options) {}

    unsigned greet(std::string& out) override {
        unsigned replies = 0;
        for (const auto& [word, level] :
             {std::pair{"TANIST.READS", &options_.read_level}, std::pair{"TANIST.ACK", &options_.write_level}}) {
            if (level->empty()) continue;
            append_command(out, {word, *level});
            ++replies;
        }
        return replies;
    }
    void read(std::string& out, std::string_view key) override { append_command(out, {"GET", key}); }
    void write(std::string& out, std::string_view key, std::string_view value) override { append_command(out, {"SET", key, value}); }
    bool scan(std::string&, std::string_view, std::uint32_t) override { return false; }

    Taken take(std::string_view in, std::string&) override {
        const std::size_t line = in.find("\r\n");
        if (line == std::string_view::npos) return {};
        if (in[0] == '-') return {line + 2, 1, std::string(in.substr(1, line - 1))};
        if (in[0] != '$') return {line + 2, 1, {}};
        const long length = std::strtol(in.data() + 1, nullptr, 10);
        if (length < 0) return {line + 2, 1, {}};
        const std::size_t whole = line + 2 + static_cast<std::size_t>(length) + 2;
        return in.size() < whole ? Taken{} : Taken{whole, 1, {}};
    }

private:
    const DialectOptions options_;
};

// -- native --------------------------------------------------------------------------------------------------------------------

class NativeDialect final : public Dialect {
public:
    explicit NativeDialect(const DialectOptions& options) {
        using protocol::native::ReadLevel, protocol::native::WriteLevel;
        if (options.read_level == "stale") read_level_ = ReadLevel::kStale;
        if (options.read_level == "session") read_level_ = ReadLevel::kSession;
        if (options.read_level == "linearizable") read_level_ = ReadLevel::kLinearizable;
        if (options.write_level == "master") write_level_ = WriteLevel::kMaster;
        if (options.write_level == "quorum") write_level_ = WriteLevel::kQuorum;
        if (options.write_level == "all") write_level_ = WriteLevel::kAll;
    }

    unsigned greet(std::string& out) override {
        out += protocol::kClientPreamble;
        append(out, protocol::native::Hello{.client_name = "tanist_load"});
        return 1;
    }
    void read(std::string& out, std::string_view key) override { append(out, protocol::native::Get{std::string(key)}); }
    void write(std::string& out, std::string_view key, std::string_view value) override {
        append(out, protocol::native::Put{std::string(key), std::string(value)});
    }
    bool scan(std::string& out, std::string_view from, std::uint32_t rows) override {
        append(out, protocol::native::Scan{.begin = std::string(from), .limit = rows});
        return true;
    }

    Taken take(std::string_view in, std::string&) override {
        if (in.size() < protocol::kFrameHeadBytes) return {};
        const Bytes bytes = as_bytes(in);
        const std::size_t size = protocol::kFrameHeadBytes + load_le<std::uint32_t>(bytes.data());
        if (in.size() < size) return {};
        const auto reply = protocol::native::decode_reply(bytes.subspan(protocol::kFrameHeadBytes, size - protocol::kFrameHeadBytes));
        if (!reply) return {size, 1, reply.error().message};
        const auto* error = std::get_if<protocol::native::ErrorReply>(&reply->body);
        return {size, 1, error == nullptr ? std::string() : error->message};
    }

private:
    void append(std::string& out, protocol::native::RequestBody body) {
        (void)protocol::native::append_to(
            out, {.id = ++last_id_, .read_level = read_level_, .write_level = write_level_, .body = std::move(body)});
    }

    protocol::native::ReadLevel read_level_ = protocol::native::ReadLevel::kDefault;
    protocol::native::WriteLevel write_level_ = protocol::native::WriteLevel::kDefault;
    std::uint64_t last_id_ = 0;
};

}  // namespace

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
    fmt::format_to(std::back_inserter(out), "*{}\r\n", words.size());
    for (const auto word : words) {
        fmt::format_to(std::back_inserter(out), "${}\r\n", word.size());
        out += word;
        out += "\r\n";
    }
}

std::unique_ptr<Dialect> make_dialect(std::string_view name, const DialectOptions& options) {
    if (name == "native") return std::make_unique<NativeDialect>(options);
    if (name == "etcd") return make_etcd_dialect(options);
    return std::make_unique<RespDialect>(options);
}

}  // namespace tanist::bench
