// SPDX-License-Identifier: Apache-2.0
// Values of Redis's parameters that are neither a number nor a word, written as Redis writes them: the same in our file and for CONFIG SET.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tanist::config {

/// A number of bytes as Redis takes it, with a unit ("16mb") or without.
[[nodiscard]] std::optional<std::uint64_t> bytes_of(std::string_view word);

/// notify-keyspace-events: which events are published, a bit for each of kLetters.
class EventClasses {
public:
    static constexpr std::string_view kLetters = "g$lshzxetdnKEm";
    /// Nullopt: a letter that Redis does not know. "A" stands for those up to d.
    [[nodiscard]] static std::optional<EventClasses> parse(std::string_view letters);
    /// As Redis writes it.
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] bool has(char letter) const { return (bits_ >> kLetters.find(letter) & 1) != 0; }
    /// Something of it can be published.
    [[nodiscard]] bool is_used() const { return has('K') || has('E'); }

    friend bool operator==(const EventClasses&, const EventClasses&) = default;

private:
    std::uint32_t bits_ = 0;
};

/// client-output-buffer-limit: when connections are ended that do not read what is sent to them. limits.output_bytes holds beside these.
struct OutputLimits {
    struct Limit {
        std::uint64_t hard = 0, soft = 0;  ///< bytes unsent; 0: none
        std::uint64_t soft_seconds = 0;    ///< for so long `soft` may be passed

        friend bool operator==(const Limit&, const Limit&) = default;
    };
    Limit normal, slave{256 << 20, 64 << 20, 60}, pubsub{32 << 20, 8 << 20, 60};  ///< other nodes are no clients: `slave` is only kept

    /// "CLASS HARD SOFT SECONDS …" for one class or several; the others stay as they are. Nullopt: taken; otherwise why not, in Redis's
    /// words.
    [[nodiscard]] std::optional<std::string> read(std::string_view text);
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const OutputLimits&, const OutputLimits&) = default;
};

/// latency-tracking-info-percentiles.
struct Percentiles {
    std::vector<double> percents{50, 99, 99.9};

    /// Numbers of 0 to 100 with blanks between. Nullopt: taken; otherwise why not, in Redis's words.
    [[nodiscard]] std::optional<std::string> read(std::string_view text);
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const Percentiles&, const Percentiles&) = default;
};

}  // namespace tanist::config
