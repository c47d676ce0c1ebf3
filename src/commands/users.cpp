// SPDX-License-Identifier: Apache-2.0
#include "commands/users.h"

#include <optional>
#include <utility>

#include "commands/layout.h"

namespace tanist::commands {
namespace {

/// The row of all users, integers as varints:
///   u8 format (1), LSN of the last change, number of users, ascending by name, each: name, line
constexpr std::uint8_t kFormat = 1;

std::string encode(const Users& users) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(kFormat);
    writer.varint(users.changed.value);
    writer.varint(users.lines.size());
    for (const auto& [name, line] : users.lines) {
        writer.string(name);
        writer.string(line);
    }
    return out;
}

std::optional<Users> decode(std::string_view row) {
    ByteReader reader(row);
    if (reader.u8() != kFormat) return std::nullopt;
    Users users{.changed = {reader.varint()}, .lines = {}};
    for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
        std::string name(reader.string());
        users.lines.insert_or_assign(std::move(name), std::string(reader.string()));
    }
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return users;
}

}  // namespace

Status UserTable::load(const store::Store& store) {
    users_ = {};
    is_changed_ = false;
    const auto row = store.get(layout::kUsersKey);
    if (!row) return fail(Error(row.error()));
    if (!*row) return {};
    auto users = decode(**row);
    if (!users) return fail(ErrorCode::kCorrupt, "store: the row of the users, {} bytes, cannot be decoded", (*row)->size());
    users_ = std::move(*users);
    return {};
}

OutcomeCode UserTable::change(const Item& item, Lsn lsn) {
    if (item.expected != users_.changed) return OutcomeCode::kConditionFailed;
    auto lines = item.replaces_all ? decltype(Users::lines){} : users_.lines;
    for (const UserView& user : item.users) {
        if (user.is_gone) {
            const auto known = lines.find(user.name);
            if (known != lines.end()) lines.erase(known);
        } else {
            lines.insert_or_assign(std::string(user.name), std::string(user.line));
        }
    }
    std::size_t bytes = 0;
    for (const auto& [name, line] : lines) bytes += name.size() + line.size();
    if (item.too_many_parts || lines.size() > kUsersMax || bytes > kUsersBytesMax) return OutcomeCode::kTooLarge;
    users_ = {.changed = lsn, .lines = std::move(lines)};
    is_changed_ = true;
    return OutcomeCode::kDone;
}

void UserTable::take_changes(std::vector<store::Change>& out) {
    if (!std::exchange(is_changed_, false)) return;
    taken_ = encode(users_);
    out.push_back({layout::kUsersKey, taken_});
}

}  // namespace tanist::commands
