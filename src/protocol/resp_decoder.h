// SPDX-License-Identifier: Apache-2.0
// Requests of Redis clients (RESP2 and RESP3 send the same): arrays of bulk strings, and inline commands, out of a read buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "protocol/read_buffer.h"

namespace tanist::protocol {

struct RespLimits {
    std::size_t inline_bytes_max = 64 * limits::kKiB;          ///< of an inline command whose end has not come yet, as in Redis
    std::size_t arguments_max = 1024 * 1024;                   ///< of one command, its name included
    std::size_t bulk_bytes_max = limits::kRequestBytesMax;     ///< of one argument; keys and values are bounded by their commands
    std::size_t request_bytes_max = limits::kRequestBytesMax;  ///< of one command as it travels
    bool authenticated = true;                                 ///< false: who has not said AUTH yet gets Redis's smaller limits
};

/// One connection's. Picks up where the last call stopped: bytes are looked at once, however they arrive.
class RespDecoder {
public:
    explicit RespDecoder(const RespLimits& limits = {}) : limits_(limits) {}

    using Command = std::span<const std::string_view>;
    /// The next command of the pipeline in `buffer`, its name first, never empty; nullopt: more has to be read. The views are
    /// valid until the next call and the next prepare(). kInvalidArgument: its message is worded as Redis words it
    /// ("Protocol error: …"); answer with it as an error and close, since nothing behind it can be told apart any more:
    /// every later call says the same.
    [[nodiscard]] Result<std::optional<Command>> next(ReadBuffer& buffer);

    void set_authenticated(bool authenticated) { limits_.authenticated = authenticated; }

private:
    enum class Step : std::uint8_t { kDone, kMore, kFailed };
    struct Slice {
        std::uint32_t offset, bytes;
    };

    Step multibulk(std::string_view text);
    Step arguments(std::string_view text, ReadBuffer& buffer);
    Step inline_command(std::string_view text);
    Step length(std::string_view text, std::string_view kind, std::int64_t& value);
    bool split_inline(std::string_view line);
    template <class... Args>
    Step refuse(fmt::format_string<Args...> format, Args&&... args);
    void start_next(ReadBuffer& buffer);

    RespLimits limits_;
    std::size_t position_ = 0;         ///< of what is not looked at yet, from the start of the command
    std::int64_t arguments_left_ = 0;  ///< of an array begun; 0: between commands
    std::int64_t bulk_bytes_ = -1;     ///< of an argument whose length has been read; -1: that comes next
    std::vector<Slice> slices_;        ///< the arguments so far, as offsets: the buffer may move meanwhile
    std::vector<std::string_view> command_;
    std::string unescaped_;  ///< arguments of an inline command with quotes
    std::string error_;      ///< the first, and last
};

}  // namespace tanist::protocol
