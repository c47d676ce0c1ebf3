// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include <algorithm>

#include "cli/text.h"

namespace tanist::cli {
namespace {

/// One pass over one object. Failures carry the position, counted from 1.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    Expected<std::vector<std::pair<std::string, std::string>>> object() {
        std::vector<std::pair<std::string, std::string>> members;
        skip_space();
        if (!take('{')) return wrong("an object in braces is expected");
        skip_space();
        if (!take('}')) {
            do {
                skip_space();
                auto name = string();
                if (!name) return tl::unexpected(name.error());
                skip_space();
                if (!take(':')) return wrong("a colon is expected");
                skip_space();
                if (at_ < text_.size() && text_[at_] != '"') return wrong(fmt::format("the value of '{}' must be a string", escape(*name)));
                auto value = string();
                if (!value) return tl::unexpected(value.error());
                members.emplace_back(std::move(*name), std::move(*value));
                skip_space();
            } while (take(','));
            if (!take('}')) return wrong("a comma or the closing brace is expected");
        }
        skip_space();
        if (at_ != text_.size()) return wrong("nothing may follow the object");
        return members;
    }

private:
    Expected<std::string> string() {
        if (!take('"')) return wrong("a string in double quotes is expected");
        std::string out;
        for (;;) {
            const std::size_t plain = text_.find_first_of("\"\\", at_);
            if (plain == std::string_view::npos) return wrong("the string does not end");
            const std::string_view piece = text_.substr(at_, plain - at_);
            for (const char c : piece) {
                if (static_cast<unsigned char>(c) < 0x20) return wrong("a control character must be escaped");
            }
            out += piece;
            at_ = plain + 1;
            if (text_[plain] == '"') break;
            if (auto escaped = read_escape(out); !escaped) return tl::unexpected(escaped.error());
        }
        if (!is_utf8(out)) return wrong("the string is not UTF-8 (use key_b64, value_b64)");
        return out;
    }

    Expected<void> read_escape(std::string& out) {
        const char c = at_ < text_.size() ? text_[at_++] : '\0';
        switch (c) {
            case '"':
            case '\\':
            case '/': out.push_back(c); return {};
            case 'b': out.push_back('\b'); return {};
            case 'f': out.push_back('\f'); return {};
            case 'n': out.push_back('\n'); return {};
            case 'r': out.push_back('\r'); return {};
            case 't': out.push_back('\t'); return {};
            case 'u': break;
            default: return wrong("no such escape");
        }
        auto unit = four_digits();
        if (unit && *unit >= 0xd800 && *unit < 0xdc00 && take('\\') && take('u')) {
            const auto low = four_digits();
            if (!low || *low < 0xdc00 || *low > 0xdfff) return wrong("half a surrogate pair");
            unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
        }
        if (!unit || (*unit >= 0xd800 && *unit < 0xe000)) return wrong("no such character");
        append_utf8(out, *unit);
        return {};
    }

    std::optional<std::uint32_t> four_digits() {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = at_ < text_.size() ? text_[at_++] : '\0';
            if (c >= '0' && c <= '9') {
                value = value * 16 + static_cast<std::uint32_t>(c - '0');
            } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
                value = value * 16 + static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
            } else {
                return std::nullopt;
            }
        }
        return value;
    }

    void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
    bool take(char c) {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    tl::unexpected<Failure> wrong(std::string_view what) const { return usage("not JSON as expected, at byte {}: {}", at_ + 1, what); }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    out.push_back(c);
                }
        }
    }
    out.push_back('"');
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    raw(name, {});
    append_json_string(out_, value);
    return *this;
}

JsonObject& JsonObject::bytes(std::string_view name, std::string_view value) {
    if (is_utf8(value)) return text(name, value);
    return text(fmt::format("{}_b64", name), to_base64(value));
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    if (out_.size() > 1) out_.push_back(',');
    append_json_string(out_, name);
    out_.push_back(':');
    out_ += json;
    return *this;
}

std::string json_array(const std::vector<std::string>& items) {
    std::string out = "[";
    for (const auto& item : items) {
        if (out.size() > 1) out.push_back(',');
        out += item;
    }
    return out + ']';
}

Expected<std::vector<std::pair<std::string, std::string>>> read_json_strings(std::string_view text) { return Reader(text).object(); }

}  // namespace tanist::cli
