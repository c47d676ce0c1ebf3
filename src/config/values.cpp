// SPDX-License-Identifier: Apache-2.0
#include "config/values.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <type_traits>

namespace tanist::config {
namespace {

constexpr std::size_t kShownBytesMax = 120;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kNodesMax = 64;

// An enumeration's values, in the order in which errors list them.
template <class Enum>
constexpr std::array kEnumerators = std::array<Enum, 0>{};
template <>
constexpr std::array kEnumerators<Role>{Role::kMaster, Role::kSlave, Role::kSpare, Role::kWitness};
template <>
constexpr std::array kEnumerators<WriteLevel>{WriteLevel::kMaster, WriteLevel::kQuorum, WriteLevel::kAll};
template <>
constexpr std::array kEnumerators<ReadLevel>{ReadLevel::kStale, ReadLevel::kSession, ReadLevel::kLinearizable};
template <>
constexpr std::array kEnumerators<LogLevel>{LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError};
template <>
constexpr std::array kEnumerators<LogFormat>{LogFormat::kText, LogFormat::kJson};
template <>
constexpr std::array kEnumerators<StoreEngine>{StoreEngine::kRocksDb, StoreEngine::kMemory};
template <>
constexpr std::array kEnumerators<Switch>{Switch::kYes, Switch::kNo};

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string in_brackets(const std::vector<std::string>& texts) {
    std::vector<std::string> each;
    for (const std::string& text : texts) each.push_back(in_quotes(text));
    return fmt::format("[{}]", fmt::join(each, ", "));
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text) {
    Integer value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> as_number(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return *integer >= 0 ? std::optional(static_cast<std::uint64_t>(*integer)) : std::nullopt;
    }
    const auto* plain = std::get_if<PlainText>(&value);
    return plain == nullptr ? std::nullopt : parse_integer<std::uint64_t>(trimmed(plain->text));
}

/// -1: none.
std::optional<std::int64_t> as_number_or_none(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer >= -1 ? std::optional(*integer) : std::nullopt;
    const auto* plain = std::get_if<PlainText>(&value);
    const auto number = plain == nullptr ? std::nullopt : parse_integer<std::int64_t>(trimmed(plain->text));
    return number && *number >= -1 ? number : std::nullopt;
}

std::optional<std::string> as_text(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    const auto* plain = std::get_if<PlainText>(&value);
    return plain == nullptr ? std::nullopt : std::optional(std::string(trimmed(plain->text)));
}

std::optional<std::vector<std::string>> as_list(const Value& value) {
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
    const auto* plain = std::get_if<PlainText>(&value);
    if (plain == nullptr) return std::nullopt;
    std::vector<std::string> list;
    for (std::string_view rest = plain->text;;) {
        const std::size_t comma = rest.find(',');
        list.emplace_back(trimmed(rest.substr(0, comma)));
        if (comma == std::string_view::npos) return list;
        rest.remove_prefix(comma + 1);
    }
}

bool is_word(std::string_view text, std::string_view others) {
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
    });
}

constexpr std::string_view kHexPrefix = "hex:";

std::optional<std::string> bytes_of_hex(std::string_view digits) {
    std::string bytes;
    for (; digits.size() >= 2; digits.remove_prefix(2)) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
        if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
        bytes += static_cast<char>(value);
    }
    return digits.empty() ? std::optional(bytes) : std::nullopt;
}

bool is_ipv6(const std::string& text) {
    in6_addr address;
    return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

/// `host:port` with an IPv6 host in brackets. Names are not looked up: a node must start while its name server is away.
std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const bool valid = bracketed ? is_ipv6(std::string(host)) : is_word(host, ".-_");
    if (!port || !valid) return std::nullopt;
    return Endpoint{std::string(host), *port};
}

/// `id@host:port`; others must be able to connect to it, so neither a wildcard nor port 0.
std::optional<ClusterNode> parse_node(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos) return std::nullopt;
    const auto id = parse_integer<std::uint32_t>(text.substr(0, at));
    const auto peer = parse_endpoint(text.substr(at + 1));
    if (!id || *id == 0 || !peer || peer->port == 0 || peer->is_wildcard()) return std::nullopt;
    return ClusterNode{NodeId{*id}, *peer};
}

/// Reading, checking and printing one type; `parse` answers nothing for what is not allowed.
template <class T>
struct Codec;

template <>
struct Codec<std::uint64_t> {
    static std::optional<std::uint64_t> parse(const Value& value, const Bounds& bounds) {
        const auto number = as_number(value);
        return number && *number >= bounds.min && *number <= bounds.max ? number : std::nullopt;
    }
    static std::string allowed(const Bounds& bounds) {
        return fmt::format("must be {} .. {}{}{}", bounds.min, bounds.max, bounds.unit.empty() ? "" : " ", bounds.unit);
    }
    static std::string print(std::uint64_t number) { return fmt::format("{}", number); }
};

template <>
struct Codec<std::int64_t> {
    static std::optional<std::int64_t> parse(const Value& value, const Bounds& bounds) {
        const auto number = as_number_or_none(value);
        if (!number || *number == -1) return bounds.or_none ? number : std::nullopt;
        const auto count = static_cast<std::uint64_t>(*number);
        return count >= bounds.min && count <= bounds.max ? number : std::nullopt;
    }
    static std::string allowed(const Bounds& bounds) {
        return Codec<std::uint64_t>::allowed(bounds) + (bounds.or_none ? ", or -1 for none" : "");
    }
    static std::string print(std::int64_t number) { return fmt::format("{}", number); }
};

template <class Period>
struct Codec<std::chrono::duration<std::int64_t, Period>> {
    using Time = std::chrono::duration<std::int64_t, Period>;
    static std::optional<Time> parse(const Value& value, const Bounds& bounds) {
        const auto number = Codec<std::uint64_t>::parse(value, bounds);
        return number ? std::optional(Time(*number)) : std::nullopt;
    }
    static std::string allowed(const Bounds& bounds) { return Codec<std::uint64_t>::allowed(bounds); }
    static std::string print(Time time) { return fmt::format("{}", time.count()); }
};

template <>
struct Codec<NodeId> {
    static constexpr Bounds kBounds{.min = 1, .max = std::numeric_limits<std::uint32_t>::max()};
    static std::optional<NodeId> parse(const Value& value, const Bounds&) {
        const auto number = Codec<std::uint64_t>::parse(value, kBounds);
        return number ? std::optional(NodeId{*number}) : std::nullopt;
    }
    static std::string allowed(const Bounds&) { return Codec<std::uint64_t>::allowed(kBounds); }
    static std::string print(NodeId id) { return fmt::format("{}", id.value); }
};

template <>
struct Codec<std::string> {
    static std::optional<std::string> parse(const Value& value, const Bounds&) {
        auto text = as_text(value);
        return text && text->size() <= kNameBytesMax && is_word(*text, ".-_") ? text : std::nullopt;
    }
    static std::string allowed(const Bounds&) {
        return fmt::format("must be a name of 1 .. {} letters, digits, \".\", \"-\" and \"_\"", kNameBytesMax);
    }
    static std::string print(const std::string& text) { return in_quotes(text); }
};

template <>
struct Codec<std::filesystem::path> {
    static std::optional<std::filesystem::path> parse(const Value& value, const Bounds&) {
        const auto text = as_text(value);
        return text && !text->empty() && text->find('\0') == std::string::npos ? std::optional(std::filesystem::path(*text)) : std::nullopt;
    }
    static std::string allowed(const Bounds&) { return "must be the path of a folder"; }
    static std::string print(const std::filesystem::path& path) { return in_quotes(path.string()); }
};

template <>
struct Codec<Secret> {
    static std::optional<Secret> parse(const Value& value, const Bounds&) {
        auto text = as_text(value);
        if (!text || text->find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos) return std::nullopt;
        if (text->starts_with(kHexPrefix)) text = bytes_of_hex(std::string_view(*text).substr(kHexPrefix.size()));
        return text && text->size() <= kSecretBytesMax ? std::optional(Secret{*text}) : std::nullopt;
    }
    static std::string allowed(const Bounds&) {
        return fmt::format("must be a line of at most {} bytes, or \"hex:\" and two digits for each of any bytes, or \"\" for none",
                           kSecretBytesMax);
    }
    static std::string print(const Secret& secret) { return in_quotes(secret.text.empty() ? "" : "(hidden)"); }
};

template <>
struct Codec<EventClasses> {
    static std::optional<EventClasses> parse(const Value& value, const Bounds&) {
        const auto text = as_text(value);
        return text ? EventClasses::parse(*text) : std::nullopt;
    }
    static std::string allowed(const Bounds&) {
        return fmt::format("must be letters of \"A{}\", or \"\" for no events", EventClasses::kLetters);
    }
    static std::string print(EventClasses classes) { return in_quotes(classes.to_string()); }
};

/// Of a type with a read() that says why not.
template <class T>
std::optional<T> read_whole(const Value& value) {
    const auto text = as_text(value);
    T read;
    return text && !read.read(*text) ? std::optional(read) : std::nullopt;
}

template <>
struct Codec<OutputLimits> {
    static std::optional<OutputLimits> parse(const Value& value, const Bounds&) { return read_whole<OutputLimits>(value); }
    static std::string allowed(const Bounds&) {
        return "must be a class (normal, slave, pubsub), bytes at which it ends, bytes that it may have for some time, and that time in "
               "seconds, "
               "for each class that is not to stay as it is";
    }
    static std::string print(const OutputLimits& limits) { return in_quotes(limits.to_string()); }
};

template <>
struct Codec<Percentiles> {
    static std::optional<Percentiles> parse(const Value& value, const Bounds&) { return read_whole<Percentiles>(value); }
    static std::string allowed(const Bounds&) { return "must be numbers of 0 .. 100 with blanks between them"; }
    static std::string print(const Percentiles& percentiles) { return in_quotes(percentiles.to_string()); }
};

template <>
struct Codec<OptionalFile> {
    static std::optional<OptionalFile> parse(const Value& value, const Bounds&) {
        const auto text = as_text(value);
        return text && text->find('\0') == std::string::npos ? std::optional(OptionalFile{*text}) : std::nullopt;
    }
    static std::string allowed(const Bounds&) { return "must be the path of a file, or \"\" for none"; }
    static std::string print(const OptionalFile& file) { return in_quotes(file.path.string()); }
};

template <>
struct Codec<Endpoint> {
    static std::optional<Endpoint> parse(const Value& value, const Bounds&) {
        const auto text = as_text(value);
        if (!text) return std::nullopt;
        return text->empty() ? Endpoint{} : parse_endpoint(*text);
    }
    static std::string allowed(const Bounds&) {
        return "must be \"host:port\" with a port of 0 .. 65535 and an IPv6 address in brackets (\"[::1]:7401\"), or \"\" for none";
    }
    static std::string print(const Endpoint& endpoint) { return in_quotes(endpoint.to_string()); }
};

template <>
struct Codec<std::vector<ClusterNode>> {
    static std::optional<std::vector<ClusterNode>> parse(const Value& value, const Bounds&) {
        const auto list = as_list(value);
        if (!list || list->empty() || list->size() > kNodesMax) return std::nullopt;
        std::vector<ClusterNode> nodes;
        for (const std::string& text : *list) {
            auto node = parse_node(text);
            if (!node) return std::nullopt;
            nodes.push_back(std::move(*node));
        }
        return nodes;
    }
    static std::string allowed(const Bounds&) {
        return fmt::format(
            "must be a list of 1 .. {} times \"id@host:port\", with an id of 1 .. {} and a port of 1 .. 65535 that the "
            "other nodes can reach",
            kNodesMax, Codec<NodeId>::kBounds.max);
    }
    static std::string print(const std::vector<ClusterNode>& nodes) {
        std::vector<std::string> texts;
        for (const ClusterNode& node : nodes) texts.push_back(fmt::format("{}@{}", node.id.value, node.peer.to_string()));
        return in_brackets(texts);
    }
};

template <class Enum>
    requires std::is_enum_v<Enum>
struct Codec<Enum> {
    static std::optional<Enum> parse(const Value& value, const Bounds&) {
        const auto text = as_text(value);
        const auto found = std::ranges::find_if(kEnumerators<Enum>, [&](Enum each) { return text && *text == to_string(each); });
        return found == kEnumerators<Enum>.end() ? std::nullopt : std::optional(*found);
    }
    static std::string allowed(const Bounds&) {
        std::vector<std::string> words;
        for (const Enum each : kEnumerators<Enum>) words.push_back(in_quotes(to_string(each)));
        return fmt::format("must be one of {}", fmt::join(words, ", "));
    }
    static std::string print(Enum value) { return in_quotes(to_string(value)); }
};

}  // namespace

std::string show(const Value& value) {
    struct Visitor {
        std::string operator()(const PlainText& plain) const { return plain.text; }
        std::string operator()(std::int64_t integer) const { return fmt::format("{}", integer); }
        std::string operator()(const std::string& text) const { return in_quotes(text); }
        std::string operator()(const std::vector<std::string>& list) const { return in_brackets(list); }
        std::string operator()(const OtherValue& other) const { return other.text; }
    };
    std::string shown = std::visit(Visitor{}, value);
    if (shown.size() > kShownBytesMax) shown = shown.substr(0, kShownBytesMax) + "…";
    return shown;
}

std::string in_file(const Secret& secret) {
    const std::string& text = secret.text;
    if (std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }) && !text.starts_with(kHexPrefix)) {
        std::string quoted;
        for (const char c : text) quoted += c == '"' || c == '\\' ? fmt::format("\\{}", c) : std::string(1, c);
        return in_quotes(quoted);
    }
    std::string digits(kHexPrefix);
    for (const char c : text) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return in_quotes(digits);
}

template <class T>
Status ValueType<T>::read(const Value& value, const Bounds& bounds, T& out) {
    auto parsed = Codec<T>::parse(value, bounds);
    if (!parsed) return fail(ErrorCode::kInvalidArgument, "{}", Codec<T>::allowed(bounds));
    out = std::move(*parsed);
    return {};
}

template <class T>
std::string ValueType<T>::allowed(const Bounds& bounds) {
    return Codec<T>::allowed(bounds);
}

template <class T>
std::string ValueType<T>::print(const T& value) {
    return Codec<T>::print(value);
}

template struct ValueType<std::uint64_t>;
template struct ValueType<std::int64_t>;
template struct ValueType<std::chrono::microseconds>;
template struct ValueType<std::chrono::milliseconds>;
template struct ValueType<NodeId>;
template struct ValueType<std::string>;
template struct ValueType<std::filesystem::path>;
template struct ValueType<Secret>;
template struct ValueType<EventClasses>;
template struct ValueType<OutputLimits>;
template struct ValueType<Percentiles>;
template struct ValueType<OptionalFile>;
template struct ValueType<Endpoint>;
template struct ValueType<std::vector<ClusterNode>>;
template struct ValueType<Role>;
template struct ValueType<WriteLevel>;
template struct ValueType<ReadLevel>;
template struct ValueType<LogLevel>;
template struct ValueType<LogFormat>;
template struct ValueType<StoreEngine>;
template struct ValueType<Switch>;

}  // namespace tanist::config
