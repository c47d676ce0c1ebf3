// SPDX-License-Identifier: Apache-2.0
// How a kind of server is spoken to on one connection: requests into bytes, bytes into the ends of replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tanist::bench {

struct DialectOptions {
    std::string read_level;   ///< RESP and native: stale, session, linearizable; empty: the server's default
    std::string write_level;  ///< likewise: master, quorum, all
    std::string authority;    ///< etcd: HOST:PORT, as the server is addressed
};

/// What the bytes that have arrived begin with.
struct Taken {
    std::size_t bytes = 0;  ///< 0: not whole yet
    unsigned replies = 0;   ///< that end with it
    std::string error;      ///< not empty: the reply, or the connection, is an error
};

/// One connection's.
class Dialect {
public:
    virtual ~Dialect() = default;
    /// Appends what a connection begins with. Returns how many replies that has; they are not counted.
    virtual unsigned greet(std::string& out) = 0;
    virtual void read(std::string& out, std::string_view key) = 0;
    virtual void write(std::string& out, std::string_view key, std::string_view value) = 0;
    /// False: this kind of server has no scan by key order.
    virtual bool scan(std::string& out, std::string_view from, std::uint32_t rows) = 0;
    /// `out`: what must be said to that at once.
    [[nodiscard]] virtual Taken take(std::string_view in, std::string& out) = 0;
};

/// `name` is resp, native or etcd.
[[nodiscard]] std::unique_ptr<Dialect> make_dialect(std::string_view name, const DialectOptions& options);
[[nodiscard]] std::unique_ptr<Dialect> make_etcd_dialect(const DialectOptions& options);

/// Appends a RESP command.
void append_command(std::string& out, std::initializer_list<std::string_view> words);

}  // namespace tanist::bench
