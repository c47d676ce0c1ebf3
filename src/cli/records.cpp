// SPDX-License-Identifier: Apache-2.0
#include "cli/records.h"

#include "cli/json.h"
#include "cli/text.h"

namespace tanist::cli {
namespace {

constexpr std::size_t kKeyBytesMax = 64 << 10, kValueBytesMax = 16 << 20;

Expected<Record> parse_jsonl(std::string_view line) {
    constexpr std::string_view kAllowed = R"(allowed is {"key":…,"value":…}, each a string, or key_b64 and value_b64 in base64)";
    auto members = read_json_strings(line);
    if (!members) return usage("{}; {}", members.error().message, kAllowed);
    std::optional<std::string> key, value;
    for (auto& [name, text] : *members) {
        const bool is_key = name == "key" || name == "key_b64";
        if (!is_key && name != "value" && name != "value_b64") return usage("unknown field '{}'; {}", escape(name), kAllowed);
        auto& field = is_key ? key : value;
        if (field) return usage("{} is there twice; {}", is_key ? "the key" : "the value", kAllowed);
        field = name.ends_with("_b64") ? from_base64(text) : std::optional(std::move(text));
        if (!field) return usage("{} is not base64; {}", name, kAllowed);
    }
    if (!key || !value) return usage("{} is missing; {}", key ? "the value" : "the key", kAllowed);
    return Record{std::move(*key), std::move(*value)};
}

Expected<Record> parse_tsv(std::string_view line) {
    constexpr std::string_view kAllowed = R"(allowed is KEY<TAB>VALUE, with \t \n \r \\ \xHH for bytes that need it)";
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return usage("no tab; {}", kAllowed);
    if (line.find('\t', tab + 1) != std::string_view::npos) return usage("more than one tab; {}", kAllowed);
    auto key = unescape(line.substr(0, tab)), value = unescape(line.substr(tab + 1));
    if (!key || !value) return usage("no such escape; {}", kAllowed);
    return Record{std::move(*key), std::move(*value)};
}

}  // namespace

Expected<Record> parse_record(std::string_view line, Format format) {
    auto record = format == Format::kJsonl ? parse_jsonl(line) : parse_tsv(line);
    if (!record) return record;
    if (record->key.size() > kKeyBytesMax) return usage("a key of {} bytes; at most {} are allowed", record->key.size(), kKeyBytesMax);
    if (record->value.size() > kValueBytesMax)
        return usage("a value of {} bytes; at most {} are allowed", record->value.size(), kValueBytesMax);
    return record;
}

void append_record(std::string& out, std::string_view key, std::string_view value, Format format) {
    if (format == Format::kJsonl) {
        out += JsonObject().bytes("key", key).bytes("value", value).take();
    } else {
        out += escape(key);
        out.push_back('\t');
        out += escape(value);
    }
    out.push_back('\n');
}

bool LineReader::next() {
    line_.clear();
    too_long_ = false;
    bool any = false;
    auto* const buffer = in_.rdbuf();
    for (int c = buffer->sbumpc(); c != std::char_traits<char>::eof(); c = buffer->sbumpc()) {
        any = true;
        ++bytes_;
        if (c == '\n') break;
        if (line_.size() < kLineBytesMax) {
            line_.push_back(static_cast<char>(c));
        } else {
            too_long_ = true;
        }
    }
    if (!any) return false;
    ++number_;
    return true;
}

}  // namespace tanist::cli
