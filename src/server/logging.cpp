// SPDX-License-Identifier: Apache-2.0
#include "server/logging.h"

#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>

namespace tanist::server {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            default: static_cast<unsigned char>(c) < 0x20 ? out += fmt::format("\\u{:04x}", static_cast<unsigned>(c)) : out += c;
        }
    }
    return out + '"';
}

struct Field {
    std::string_view name, value;
    std::size_t end;  ///< behind it in the line
};

/// The field that begins at `begin`: a word of small letters, "=", and a value without spaces or in quotes.
std::optional<Field> field_at(std::string_view line, std::size_t begin) {
    std::size_t at = begin;
    while (at < line.size() && (std::islower(static_cast<unsigned char>(line[at])) != 0 ||
                                std::isdigit(static_cast<unsigned char>(line[at])) != 0 || line[at] == '_'))
        ++at;
    if (at == begin || at >= line.size() || line[at] != '=') return std::nullopt;
    const std::string_view name = line.substr(begin, at - begin);
    if (++at < line.size() && line[at] == '"') {
        const std::size_t close = line.find('"', at + 1);
        if (close != std::string_view::npos) return Field{name, line.substr(at + 1, close - at - 1), close + 1};
    }
    const std::size_t end = std::min(line.find(' ', at), line.size());
    return Field{name, line.substr(at, end - at), end};
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() < 16 &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; }) && (text.size() == 1 || text[0] != '0');
}

std::string utc(const spdlog::details::log_msg& message) {
    const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(message.time.time_since_epoch()).count();
    const time_t seconds = since_epoch / 1000;
    tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                       parts.tm_min, parts.tm_sec, since_epoch % 1000);
}

class LineFormatter final : public spdlog::formatter {
public:
    explicit LineFormatter(config::LogFormat format) : format_(format) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        const auto level_name = spdlog::level::to_string_view(message.level);
        const std::string_view level =
            message.level == spdlog::level::warn ? "warn" : std::string_view(level_name.data(), level_name.size());
        const std::string line = format_ == config::LogFormat::kJson
                                     ? fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",{}}}\n", utc(message), level, json_members(text))
                                     : fmt::format("{} {:<5} {}\n", utc(message), level, text);
        out.append(line.data(), line.data() + line.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(format_); }

private:
    config::LogFormat format_;
};

spdlog::level::level_enum level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::kDebug: return spdlog::level::debug;
        case config::LogLevel::kInfo: return spdlog::level::info;
        case config::LogLevel::kWarn: return spdlog::level::warn;
        case config::LogLevel::kError: return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

void set_up_logging(const config::LogConfig& config) {
    static const auto logger = [] {
        auto to_stderr = std::make_shared<spdlog::logger>("tanist", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        spdlog::set_default_logger(to_stderr);
        return to_stderr;
    }();
    logger->set_formatter(std::make_unique<LineFormatter>(config.format));
    logger->set_level(level_of(config.level));
    logger->flush_on(spdlog::level::debug);
}

std::string json_members(std::string_view line) {
    std::string fields;
    std::size_t sentence_end = line.size();
    for (std::size_t at = 0; at < line.size();) {
        const bool begins_word = at == 0 || line[at - 1] == ' ';
        const auto field = begins_word ? field_at(line, at) : std::nullopt;
        if (!field) {
            ++at;
            continue;
        }
        sentence_end = std::min(sentence_end, at == 0 ? 0 : at - 1);
        fields += fmt::format(",\"{}\":{}", field->name, is_number(field->value) ? std::string(field->value) : quoted(field->value));
        at = field->end;
    }
    return fmt::format("\"event\":{}{}", quoted(line.substr(0, sentence_end)), fields);
}

}  // namespace tanist::server
