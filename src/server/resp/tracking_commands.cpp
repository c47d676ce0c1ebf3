// SPDX-License-Identifier: Apache-2.0
#include "server/resp/tracking_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "server/resp/session.h"
#include "server/resp/words.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

std::shared_ptr<RespSession> session_of(RespSession& session, std::uint64_t id) {
    for (const auto& [_, connection] : session.services().connections.open) {
        if (auto found = std::dynamic_pointer_cast<RespSession>(connection); found && found->id() == id) return found;
    }
    return nullptr;
}

/// Nullopt: taken into `mode`.
std::optional<std::string> read_options(RespSession& session, Arguments words, TrackingMode& mode,
                                        std::vector<std::string_view>& prefixes) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool has_more = i + 1 < words.size();
        if (is_word(words[i], "REDIRECT") && has_more) {
            if (mode.redirect != 0) return "ERR A client can only redirect to a single other client";
            const auto id = integer_of(words[++i]);
            if (!id) return "ERR value is not an integer or out of range";
            mode.other = session_of(session, static_cast<std::uint64_t>(*id));
            if (mode.other.expired()) return "ERR The client ID you want redirect to does not exist";
            mode.redirect = static_cast<std::uint64_t>(*id);
        } else if (is_word(words[i], "PREFIX") && has_more) {
            prefixes.push_back(words[++i]);
        } else if (is_word(words[i], "BCAST")) {
            mode.broadcasts = true;
        } else if (is_word(words[i], "OPTIN")) {
            mode.opts_in = true;
        } else if (is_word(words[i], "OPTOUT")) {
            mode.opts_out = true;
        } else if (is_word(words[i], "NOLOOP")) {
            mode.spares_own = true;
        } else {
            return "ERR syntax error";
        }
    }
    return std::nullopt;
}

bool overlap(std::string_view a, std::string_view b) { return a.starts_with(b) || b.starts_with(a); }

std::optional<std::string> refuse_prefixes(const std::vector<std::string_view>& prefixes, const TrackingMode* before) {
    constexpr std::string_view kRule = "Prefixes for a single client must not overlap.";
    const std::size_t known_already = before != nullptr ? before->prefixes.size() : 0;
    const bool are_too_long = std::ranges::any_of(prefixes, [](std::string_view each) { return each.size() > kPrefixBytesMax; });
    if (are_too_long || prefixes.size() + known_already > kPrefixesMax)
        return fmt::format("ERR a client has at most {} prefixes, of at most {} bytes each", kPrefixesMax, kPrefixBytesMax);
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        if (before != nullptr) {
            const auto known = std::ranges::find_if(before->prefixes, [&](const std::string& each) { return overlap(each, prefixes[i]); });
            if (known != before->prefixes.end())
                return fmt::format("ERR Prefix '{}' overlaps with an existing prefix '{}'. {}", prefixes[i], *known, kRule);
        }
        for (std::size_t j = i + 1; j < prefixes.size(); ++j) {
            if (overlap(prefixes[i], prefixes[j]))
                return fmt::format("ERR Prefix '{}' overlaps with another provided prefix '{}'. {}", prefixes[i], prefixes[j], kRule);
        }
    }
    return std::nullopt;
}

/// Whether these options go together, and with those that hold already.
std::optional<std::string> refuse_mode(const TrackingMode& mode, const std::vector<std::string_view>& prefixes,
                                       const TrackingMode* before) {
    if (!mode.broadcasts && !prefixes.empty()) return "ERR PREFIX option requires BCAST mode to be enabled";
    if (before != nullptr && before->broadcasts != mode.broadcasts) {
        return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a "
               "different mode.";
    }
    if (mode.broadcasts && (mode.opts_in || mode.opts_out)) return "ERR OPTIN and OPTOUT are not compatible with BCAST";
    if (mode.opts_in && mode.opts_out) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
    if (before != nullptr && ((mode.opts_in && before->opts_out) || (mode.opts_out && before->opts_in))) {
        return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a "
               "different mode.";
    }
    return refuse_prefixes(prefixes, before);
}

}  // namespace

void client_tracking(RespSession& session, Arguments arguments) {
    TrackingMode mode;
    std::vector<std::string_view> prefixes;
    if (const auto refused = read_options(session, arguments.subspan(3), mode, prefixes)) return session.reply_error(*refused);
    const TrackingMode* before = session.tracking() ? &*session.tracking() : nullptr;
    if (is_word(arguments[2], "ON")) {
        if (const auto refused = refuse_mode(mode, prefixes, before)) return session.reply_error(*refused);
        if (before != nullptr) {
            mode.prefixes = before->prefixes;
            mode.is_caching_said = before->is_caching_said;
        }
        mode.prefixes.insert(prefixes.begin(), prefixes.end());
        if (mode.broadcasts && prefixes.empty()) mode.prefixes.emplace();  // all keys have it
        session.track(std::move(mode));
    } else if (is_word(arguments[2], "OFF")) {
        session.track(std::nullopt);
    } else {
        return session.reply_error("ERR syntax error");
    }
    session.reply_ok();
}

void client_caching(RespSession& session, Arguments arguments) {
    auto& mode = session.tracking();
    if (!mode) {
        return session.reply_error(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
    }
    const bool yes = is_word(arguments[2], "YES");
    if (!yes && !is_word(arguments[2], "NO")) return session.reply_error("ERR syntax error");
    if (yes && !mode->opts_in) return session.reply_error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    if (!yes && !mode->opts_out) return session.reply_error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    mode->is_caching_said = true;
    session.reply_ok();
}

void client_tracking_info(RespSession& session, Arguments) {
    const auto& mode = session.tracking();
    std::vector<std::string_view> flags{mode ? "on" : "off"};
    if (mode) {
        if (mode->broadcasts) flags.emplace_back("bcast");
        if (mode->opts_in) flags.emplace_back("optin");
        if (mode->opts_in && mode->is_caching_said) flags.emplace_back("caching-yes");
        if (mode->opts_out) flags.emplace_back("optout");
        if (mode->opts_out && mode->is_caching_said) flags.emplace_back("caching-no");
        if (mode->spares_own) flags.emplace_back("noloop");
        if (mode->is_broken) flags.emplace_back("broken_redirect");
    }
    session.reply([&](RespEncoder& to) {
        to.map(3);
        to.bulk("flags");
        to.set(flags.size());
        for (const std::string_view flag : flags) to.bulk(flag);
        to.bulk("redirect");
        to.integer(mode ? static_cast<std::int64_t>(mode->redirect) : -1);
        to.bulk("prefixes");
        to.array(mode ? mode->prefixes.size() : 0);
        if (!mode) return;
        for (const std::string& prefix : mode->prefixes) to.bulk(prefix);
    });
}

void client_redirection(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.integer(session.tracking() ? static_cast<std::int64_t>(session.tracking()->redirect) : -1); });
}

}  // namespace tanist::server::resp
