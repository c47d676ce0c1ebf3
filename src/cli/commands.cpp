// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <fstream>
#include <iterator>

#include "cli/batch.h"
#include "cli/json.h"
#include "cli/text.h"

namespace tanist::cli {
namespace {

using client::Compared;
using client::Value;

/// For a message: in quotes, and not more than fits a line.
std::string shown(std::string_view bytes) {
    constexpr std::size_t kMost = 60;
    const std::string text = escape(bytes.substr(0, kMost));
    return fmt::format("'{}'{}", text, bytes.size() > kMost ? fmt::format("… ({} bytes)", bytes.size()) : "");
}
std::string shown(const std::optional<Value>& found) {
    return found ? fmt::format("the key holds {} (version {})", shown(found->bytes), found->version) : "the key does not exist";
}

void print_line(Session& session, std::string_view line) { session.streams().out << line << '\n'; }

JsonObject& add_value(JsonObject& object, const std::optional<Value>& value) {
    object.boolean("found", value.has_value());
    if (!value) return object.null("value").null("version");
    return object.bytes("value", value->bytes).number("version", value->version);
}

std::string_view name_of(client::WriteLevel level) {
    switch (level) {
        case client::WriteLevel::kMaster: return "master";
        case client::WriteLevel::kQuorum: return "quorum";
        case client::WriteLevel::kAll: return "all";
        case client::WriteLevel::kDefault: break;
    }
    return "";
}

void tell_level(Session& session, const client::Written& written) {
    if (session.settings().write_level != client::WriteLevel::kAll) return;
    if (written.level == client::WriteLevel::kAll || written.level == client::WriteLevel::kDefault) return;
    session.tell(fmt::format("done, but by the deadline only at level {}", name_of(written.level)));
}

Expected<std::string> read_all(Session& session, const std::string& file) {
    if (file == "-") return std::string(std::istreambuf_iterator<char>(session.streams().in), {});
    std::ifstream in(file, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || in.bad()) return usage("{}: cannot be read", file);
    return content;
}

Expected<Exit> print_compared(Session& session, std::string_view name, std::string_view key, const Compared& compared) {
    if (session.settings().json) {
        JsonObject object;
        object.bytes("key", key).boolean("done", compared.done);
        if (compared.done) {
            object.number("version", compared.version);
        } else {
            add_value(object, compared.found);
        }
        print_line(session, object.take());
    } else if (compared.done) {
        print_line(session, fmt::format("version {}", compared.version));
    } else {
        session.tell(fmt::format("{}: refused: {}", name, shown(compared.found)));
    }
    return compared.done ? Exit::kOk : Exit::kRefused;
}

}  // namespace

Expected<Exit> run(Session& session, const GetCommand& get) {
    const auto value = session.read([&](const client::CallOptions& options) { return session.client().get(get.key, options); });
    if (!value) return tl::unexpected(to_failure(value.error()));
    const Streams& streams = session.streams();
    if (session.settings().json) {
        JsonObject object;
        object.bytes("key", get.key);
        print_line(session, add_value(object, *value).take());
    } else if (!*value) {
        session.tell(fmt::format("get: no key {}", shown(get.key)));
    } else if (get.raw) {
        streams.out << (*value)->bytes;
    } else {
        // What is not text would confuse a terminal; a pipe gets it as it is.
        const bool garbles = streams.out_is_terminal && !is_utf8((*value)->bytes);
        print_line(session, garbles ? escape((*value)->bytes) : (*value)->bytes);
    }
    return *value ? Exit::kOk : Exit::kNotFound;
}

Expected<Exit> run(Session& session, const PutCommand& put) {
    auto value = put.value ? Expected<std::string>(*put.value) : read_all(session, *put.file);
    if (!value) return tl::unexpected(value.error());
    const auto written = session.client().put(put.key, std::move(*value), session.options());
    if (!written) return tl::unexpected(to_failure(written.error()));
    tell_level(session, *written);
    if (session.settings().json) {
        print_line(session, JsonObject()
                                .bytes("key", put.key)
                                .number("version", written->version)
                                .boolean("existed", written->existed)
                                .text_or_null("level", name_of(written->level))
                                .take());
    } else {
        print_line(session, fmt::format("version {}", written->version));
    }
    return Exit::kOk;
}

Expected<Exit> run(Session& session, const DelCommand& del) {
    if (del.if_value || del.if_version) {
        const client::Expected expected =
            del.if_value ? client::Expected(client::ValueIs{*del.if_value}) : client::VersionIs{*del.if_version};
        const auto compared = session.client().compare_and_delete(del.key, expected, session.options());
        if (!compared) return tl::unexpected(to_failure(compared.error()));
        return print_compared(session, "del", del.key, *compared);
    }
    const auto written = session.client().del(del.key, session.options());
    if (!written) return tl::unexpected(to_failure(written.error()));
    tell_level(session, *written);
    if (session.settings().json) {
        print_line(session,
                   JsonObject().bytes("key", del.key).boolean("found", written->existed).number("version", written->version).take());
    } else if (written->existed) {
        print_line(session, "deleted");
    } else {
        session.tell(fmt::format("del: no key {}", shown(del.key)));
    }
    return written->existed ? Exit::kOk : Exit::kNotFound;
}

Expected<Exit> run(Session& session, const CasCommand& cas) {
    const auto compared = session.client().compare_and_set(cas.key, cas.expected, cas.value, session.options());
    if (!compared) return tl::unexpected(to_failure(compared.error()));
    return print_compared(session, "cas", cas.key, *compared);
}

Expected<Exit> run(Session& session, const IncrCommand& incr) {
    const auto sum = session.client().increment(incr.key, incr.by, session.options());
    if (!sum) return tl::unexpected(to_failure(sum.error()));
    if (session.settings().json) {
        print_line(session, JsonObject().bytes("key", incr.key).number("value", sum->value).number("version", sum->version).take());
    } else {
        print_line(session, std::to_string(sum->value));
    }
    return Exit::kOk;
}

Expected<Exit> run(Session& session, const ScanCommand& scan) {
    client::Scan range = scan.range;
    if (scan.limit > 0 && scan.limit < 1000) range.limit = static_cast<std::uint32_t>(scan.limit);
    std::uint64_t left = scan.limit > 0 ? scan.limit : ~std::uint64_t{0};
    auto page = session.read([&](const client::CallOptions& options) { return session.client().scan(range, options); });
    for (;;) {
        if (!page) return tl::unexpected(to_failure(page.error()));
        for (const auto& row : page->rows) {
            if (left-- == 0) return Exit::kOk;
            if (session.settings().json) {
                JsonObject object;
                object.bytes("key", row.key);
                if (!range.keys_only) object.bytes("value", row.value);
                print_line(session, object.number("version", row.version).take());
            } else {
                print_line(session, range.keys_only ? escape(row.key) : escape(row.key) + '\t' + escape(row.value));
            }
        }
        if (!page->next || left == 0) return Exit::kOk;
        range.begin = *page->next;
        page = session.client().scan(range, session.options());  // at least as new as the first page, by the session's token
    }
}

Expected<Exit> run(Session& session, const BatchCommand& command) {
    const auto text = read_all(session, command.file);
    if (!text) return tl::unexpected(text.error());
    auto batch = parse_batch(*text);
    if (!batch) return usage("batch: {}:{}", command.file == "-" ? "standard input" : command.file, batch.error().message);
    const auto commands = batch->commands;
    const auto conditions = batch->conditions;
    const auto done = session.client().batch(std::move(*batch), session.options());
    if (!done) return tl::unexpected(to_failure(done.error()));
    if (!done->done) {
        if (session.settings().json) {
            JsonObject object;
            object.boolean("done", false).number("failed_condition", done->failed_condition);
            print_line(session, add_value(object, done->found).take());
        } else {
            const auto index = done->failed_condition;
            session.tell(fmt::format("batch: refused by condition {}{}: {}", index + 1,
                                     index < conditions.size() ? fmt::format(" (on {})", shown(conditions[index].key)) : "",
                                     shown(done->found)));
        }
        return Exit::kRefused;
    }
    if (session.settings().json) {
        std::vector<std::string> results;
        for (const auto& result : done->results) {
            JsonObject object;
            results.push_back(add_value(object, result).take());
        }
        print_line(session, JsonObject().boolean("done", true).number("version", done->version).raw("results", json_array(results)).take());
    } else {
        print_results(session.streams().out, commands, *done);
    }
    return Exit::kOk;
}

}  // namespace tanist::cli
