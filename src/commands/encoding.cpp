// SPDX-License-Identifier: Apache-2.0
#include "commands/encoding.h"

#include <array>

#include "base/ensure.h"
#include "commands/redis/table.h"

namespace tanist::commands {
namespace {

/// Takes what ByteWriter takes, and only counts it.
class ByteCounter {
public:
    void u8(std::uint8_t) { ++bytes_; }
    void varint(std::uint64_t v) {
        do ++bytes_;
        while ((v >>= 7) != 0);
    }
    void string(std::string_view v) {
        varint(v.size());
        bytes_ += v.size();
    }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
    std::size_t bytes_ = 0;
};

constexpr std::uint64_t zigzag(std::int64_t v) { return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63); }
constexpr std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>((v >> 1) ^ (0 - (v & 1))); }

template <class... Alternatives>
constexpr std::uint8_t kind_of(const std::variant<Alternatives...>& one) {
    return static_cast<std::uint8_t>(one.index() + 1);
}
static_assert(std::variant_size_v<Condition> == static_cast<std::size_t>(ConditionKind::kVersionEquals));
static_assert(std::variant_size_v<Command> == static_cast<std::size_t>(CommandKind::kRedis));

template <class Sink>
struct Encoder {
    Sink& sink;

    void operator()(const KeyExists& c) { sink.string(c.key); }
    void operator()(const KeyAbsent& c) { sink.string(c.key); }
    void operator()(const ValueEquals& c) { sink.string(c.key), sink.string(c.value); }
    void operator()(const VersionEquals& c) { sink.string(c.key), sink.varint(c.version.value); }

    void operator()(const Put& c) { sink.string(c.key), sink.string(c.value); }
    void operator()(const Delete& c) { sink.string(c.key); }
    void operator()(const Increment& c) { sink.string(c.key), sink.varint(zigzag(c.by)); }
    void operator()(const Get& c) { sink.string(c.key); }
    void operator()(const Redis& c) {
        sink.varint(c.words.size());
        for (const std::string& word : c.words) sink.string(word);
    }

    void operator()(const Request& r) {
        item(ItemKind::kRequest);
        sink.varint(r.session.value), sink.varint(r.sequence), sink.varint(r.lowest_unanswered);
        parts(r.conditions);
        parts(r.commands);
    }
    void operator()(const RegisterSession& r) { item(ItemKind::kRegister), sink.varint(r.lifetime_ms); }
    void operator()(const KeepSession& r) { item(ItemKind::kKeep), sink.varint(r.session.value), sink.varint(r.lowest_unanswered); }
    void operator()(const CloseSession& r) { item(ItemKind::kClose), sink.varint(r.session.value); }
    void operator()(const ChangeUsers& r) {
        item(ItemKind::kUsers);
        sink.varint(r.expected.value);
        sink.u8(r.replaces_all ? 1 : 0);
        sink.varint(r.users.size());
        for (const ChangeUsers::User& user : r.users) {
            sink.u8(user.line ? 0 : 1);
            sink.string(user.name);
            if (user.line) sink.string(*user.line);
        }
    }

private:
    void item(ItemKind kind) { sink.u8(static_cast<std::uint8_t>(kind)); }
    template <class Part>
    void parts(const std::vector<Part>& all) {
        sink.varint(all.size());
        for (const Part& part : all) {
            sink.u8(kind_of(part));
            std::visit(*this, part);
        }
    }
};

/// How a request begins that is one command, without session and conditions: as nearly all are.
constexpr std::array kLoneCommandBytes{static_cast<char>(ItemKind::kRequest), '\0', '\0', '\0', '\0', '\1'};
constexpr std::string_view kLoneCommand(kLoneCommandBytes.data(), kLoneCommandBytes.size());

std::size_t bytes_behind_length(const Logged& logged) {
    ByteCounter counter;
    std::visit(Encoder<ByteCounter>{counter}, logged);
    return counter.bytes();
}

/// Reads `count` parts by `read`; keeps those that fit into kPartsPerRequestMax. False: one of them has an unknown kind.
template <class Part, class Read>
bool read_parts(ByteReader& reader, Item& item, std::vector<Part>& parts, const Read& read) {
    parts.clear();
    for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
        Part part;
        if (!read(part)) return false;
        if (item.conditions.size() + item.commands.size() < kPartsPerRequestMax) {
            parts.push_back(part);
        } else {
            item.too_many_parts = true;
        }
    }
    return true;
}

bool read_condition(ByteReader& reader, ConditionView& condition) {
    condition = {.kind = static_cast<ConditionKind>(reader.u8()), .key = reader.string()};
    switch (condition.kind) {
        case ConditionKind::kKeyExists:
        case ConditionKind::kKeyAbsent: return true;
        case ConditionKind::kValueEquals: condition.value = reader.string(); return true;
        case ConditionKind::kVersionEquals: condition.version = {reader.varint()}; return true;
    }
    return false;
}

void read_words(ByteReader& reader, Item& item, CommandView& command) {
    command.first_word = static_cast<std::uint32_t>(item.words.size());
    for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
        const std::string_view word = reader.string();
        if (item.words.size() < kWordsPerRequestMax) {
            item.words.push_back(word);
        } else {
            item.too_many_parts = true;
        }
    }
    command.words = static_cast<std::uint32_t>(item.words.size()) - command.first_word;
}

bool read_command(ByteReader& reader, Item& item, CommandView& command) {
    command = {.kind = static_cast<CommandKind>(reader.u8())};
    if (command.kind == CommandKind::kRedis) {
        read_words(reader, item, command);
        return true;
    }
    command.key = reader.string();
    switch (command.kind) {
        case CommandKind::kDelete:
        case CommandKind::kGet: return true;
        case CommandKind::kPut: command.value = reader.string(); return true;
        case CommandKind::kIncrement: command.by = unzigzag(reader.varint()); return true;
        case CommandKind::kRedis: break;
    }
    return false;
}

bool read_users(ByteReader& reader, Item& item) {
    item.expected = {reader.varint()};
    const std::uint8_t replaces_all = reader.u8();
    item.replaces_all = replaces_all == 1;
    for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
        const std::uint8_t gone = reader.u8();
        if (gone > 1) return false;
        UserView user{.is_gone = gone == 1, .name = reader.string(), .line = {}};
        if (!user.is_gone) user.line = reader.string();
        if (item.users.size() < kUsersMax) {
            item.users.push_back(user);
        } else {
            item.too_many_parts = true;
        }
    }
    return replaces_all <= 1;
}

void clear(Item& item) {
    item.kind = ItemKind::kRequest;
    item.session = {};
    item.sequence = item.lowest_unanswered = item.lifetime_ms = 0;
    item.expected = {};
    item.too_many_parts = item.replaces_all = false;
    item.users.clear();
    item.conditions.clear();
    item.commands.clear();
    item.words.clear();
}

bool read_item(std::string_view bytes, Item& item) {
    clear(item);
    if (bytes.starts_with(kLoneCommand)) {
        ByteReader reader(bytes.substr(kLoneCommand.size()));
        return read_command(reader, item, item.commands.emplace_back()) && reader.ok() && reader.at_end();
    }
    ByteReader reader(bytes);
    item.kind = static_cast<ItemKind>(reader.u8());
    switch (item.kind) {
        case ItemKind::kRequest:
            item.session = {reader.varint()};
            item.sequence = reader.varint();
            item.lowest_unanswered = reader.varint();
            if (!read_parts(reader, item, item.conditions, [&](ConditionView& c) { return read_condition(reader, c); })) return false;
            if (!read_parts(reader, item, item.commands, [&](CommandView& c) { return read_command(reader, item, c); })) return false;
            break;
        case ItemKind::kRegister: item.lifetime_ms = reader.varint(); break;
        case ItemKind::kKeep:
            item.session = {reader.varint()};
            item.lowest_unanswered = reader.varint();
            break;
        case ItemKind::kClose: item.session = {reader.varint()}; break;
        case ItemKind::kUsers:
            if (!read_users(reader, item)) return false;
            break;
        default: return false;
    }
    return reader.ok() && reader.at_end();
}

Condition owned(const ConditionView& view) {
    const std::string key(view.key);
    switch (view.kind) {
        case ConditionKind::kKeyExists: return KeyExists{key};
        case ConditionKind::kKeyAbsent: return KeyAbsent{key};
        case ConditionKind::kValueEquals: return ValueEquals{key, std::string(view.value)};
        case ConditionKind::kVersionEquals: break;
    }
    return VersionEquals{key, view.version};
}

Command owned(const Item& item, const CommandView& view) {
    const std::string key(view.key);
    switch (view.kind) {
        case CommandKind::kPut: return Put{key, std::string(view.value)};
        case CommandKind::kDelete: return Delete{key};
        case CommandKind::kIncrement: return Increment{key, view.by};
        case CommandKind::kGet: return Get{key};
        case CommandKind::kRedis: break;
    }
    const auto words = item.words_of(view);
    return Redis{{words.begin(), words.end()}};
}

ChangeUsers owned_users(const Item& item) {
    ChangeUsers change{.expected = item.expected, .replaces_all = item.replaces_all, .users = {}};
    for (const UserView& user : item.users)
        change.users.push_back({std::string(user.name), user.is_gone ? std::nullopt : std::optional(std::string(user.line))});
    return change;
}

Logged owned(const Item& item) {
    switch (item.kind) {
        case ItemKind::kRequest: break;
        case ItemKind::kRegister: return RegisterSession{item.lifetime_ms};
        case ItemKind::kKeep: return KeepSession{item.session, item.lowest_unanswered};
        case ItemKind::kClose: return CloseSession{item.session};
        case ItemKind::kUsers: return owned_users(item);
    }
    Request request{
        .session = item.session, .sequence = item.sequence, .lowest_unanswered = item.lowest_unanswered, .conditions = {}, .commands = {}};
    for (const auto& condition : item.conditions) request.conditions.push_back(owned(condition));
    for (const auto& command : item.commands) request.commands.push_back(owned(item, command));
    return request;
}

}  // namespace

bool ItemReader::next(Item& item) {
    if (!ok() || reader_.at_end()) return false;
    const auto bytes = reader_.string();
    ok_ = reader_.ok() && read_item(bytes, item);
    return ok_;
}

void append_to(std::string& payload, const Logged& logged) {
    ByteWriter writer(payload);
    writer.varint(bytes_behind_length(logged));
    std::visit(Encoder<ByteWriter>{writer}, logged);
}

void append_request(std::string& payload, const CommandView& command) {
    ENSURE(command.kind != CommandKind::kRedis);
    const auto encode_command = [&](auto& sink) {
        sink.u8(static_cast<std::uint8_t>(command.kind));
        sink.string(command.key);
        if (command.kind == CommandKind::kPut) sink.string(command.value);
        if (command.kind == CommandKind::kIncrement) sink.varint(zigzag(command.by));
    };
    ByteCounter counter;
    encode_command(counter);
    ByteWriter writer(payload);
    writer.varint(kLoneCommand.size() + counter.bytes());
    payload.append(kLoneCommand);
    encode_command(writer);
}

std::size_t encoded_bytes(const Logged& logged) {
    const std::size_t bytes = bytes_behind_length(logged);
    ByteCounter length;
    length.varint(bytes);
    return length.bytes() + bytes;
}

Result<std::vector<Logged>> decode_payload(std::string_view payload) {
    std::vector<Logged> all;
    ItemReader reader(payload);
    for (Item item; reader.next(item);) {
        if (item.too_many_parts)
            return fail(ErrorCode::kCorrupt, "item {}: more than {} conditions and commands", all.size(), kPartsPerRequestMax);
        all.push_back(owned(item));
    }
    if (!reader.ok()) return fail(ErrorCode::kCorrupt, "item {} of a payload of {} bytes cannot be decoded", all.size(), payload.size());
    return all;
}

LargestParts largest_parts(const Request& request) {
    LargestParts largest;
    const auto key = [&](std::string_view bytes) { largest.key_bytes = std::max(largest.key_bytes, bytes.size()); };
    const auto value = [&](std::string_view bytes) { largest.value_bytes = std::max(largest.value_bytes, bytes.size()); };
    const auto measure = [&](const auto& part) {
        if constexpr (requires { part.key; }) key(part.key);
        if constexpr (requires { part.value; }) value(part.value);
        if constexpr (requires { part.words; }) {
            const std::vector<std::string_view> words(part.words.begin(), part.words.end());
            redis::for_each_word(words, [&](std::string_view word, bool is_key) { is_key ? key(word) : value(word); });
        }
    };
    for (const auto& condition : request.conditions) std::visit(measure, condition);
    for (const auto& command : request.commands) std::visit(measure, command);
    return largest;
}

std::size_t count_words(const Request& request) {
    std::size_t words = 0;
    for (const auto& command : request.commands) {
        if (const auto* redis = std::get_if<Redis>(&command)) words += redis->words.size();
    }
    return words;
}

Status check_limits(const Logged& logged) {
    if (const auto* users = std::get_if<ChangeUsers>(&logged);
        users != nullptr && (users->users.size() > kUsersMax || encoded_bytes(logged) > 2 * kUsersBytesMax)) {
        return fail(ErrorCode::kInvalidArgument, "{} users of {} bytes at once: at most {} of {} bytes are allowed", users->users.size(),
                    encoded_bytes(logged), kUsersMax, 2 * kUsersBytesMax);
    }
    const auto* request = std::get_if<Request>(&logged);
    if (request == nullptr) return {};
    if (const auto parts = request->conditions.size() + request->commands.size(); parts > kPartsPerRequestMax) {
        return fail(ErrorCode::kInvalidArgument, "{} conditions and commands in one request: at most {} are allowed", parts,
                    kPartsPerRequestMax);
    }
    if (const auto bytes = encoded_bytes(logged); bytes > limits::kRequestBytesMax) {
        return fail(ErrorCode::kInvalidArgument, "request of {} bytes: at most {} are allowed", bytes, limits::kRequestBytesMax);
    }
    if (const auto words = count_words(*request); words > kWordsPerRequestMax) {
        return fail(ErrorCode::kInvalidArgument, "{} words in one request: at most {} are allowed", words, kWordsPerRequestMax);
    }
    const auto [key_bytes, value_bytes] = largest_parts(*request);
    if (key_bytes > limits::kKeyBytesMax) {
        return fail(ErrorCode::kInvalidArgument, "key of {} bytes: at most {} are allowed", key_bytes, limits::kKeyBytesMax);
    }
    if (value_bytes > limits::kValueBytesMax) {
        return fail(ErrorCode::kInvalidArgument, "value of {} bytes: at most {} are allowed", value_bytes, limits::kValueBytesMax);
    }
    return {};
}

}  // namespace tanist::commands
