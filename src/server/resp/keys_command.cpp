// SPDX-License-Identifier: Apache-2.0
#include "server/resp/keys_command.h"

#include <fmt/format.h>

#include <array>
#include <asio/post.hpp>
#include <memory>
#include <string>

#include "base/ensure.h"
#include "commands/redis/glob.h"
#include "server/clock.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

struct Gathering {
    std::string pattern, prefix;  ///< with which all that match begin
    std::string begin;            ///< of the next page
    std::string keys = {};        ///< found, encoded
    std::size_t count = 0;
    bool is_done = false;
    std::uint64_t took_us = 0;  ///< looking, all turns together
};

/// Looks at one page.
Status go_on(const commands::StateMachine& state, Gathering& gathering) {
    const std::string cursor = "k" + gathering.begin, at_once = std::to_string(kKeysAtOnce);
    const std::array<std::string_view, 6> words{"SCAN", cursor, "MATCH", gathering.pattern, "COUNT", at_once};
    const auto page = state.read(words, 0, 0);
    if (!page) return fail(page.error());
    ENSURE(page->elements.size() == 2);
    RespEncoder to(gathering.keys, protocol::RespVersion::k2);
    for (const commands::Reply& key : page->elements[1].elements) to.bulk(key.text);
    gathering.count += page->elements[1].elements.size();
    gathering.begin = page->elements[0].text;
    gathering.is_done = !gathering.begin.starts_with(gathering.prefix) || gathering.begin.empty();
    return {};
}

/// True: answered.
bool settle(RespSession& session, Gathering& gathering, bool is_ended) {
    ClientServices& services = session.services();
    const auto wait = [&] {
        asio::post(services.connections.io, [] {});  // a turn follows at once, also where nobody else wants one
        return false;
    };
    if (!is_ended && !services.port.waiting.may_look_long()) return wait();
    const std::uint64_t began_us = monotonic_us();
    const Status looked = go_on(services.state, gathering);
    gathering.took_us += monotonic_us() - began_us;
    if (!looked) {
        services.storage_failed(looked.error());
        return true;
    }
    session.note_state_seen();
    const std::size_t bytes_max = services.connections.limits.output_bytes_max / 2;
    const bool is_refused = is_ended || gathering.keys.size() > bytes_max;
    if (!is_refused && !gathering.is_done) return wait();
    const std::array<std::string_view, 2> words{"KEYS", gathering.pattern};
    session.record_time(*services.port.commands.find_command(words[0]), words, gathering.took_us);
    if (is_refused) {
        session.unblock([&](RespEncoder& to) {
            to.error(is_ended ? "ERR KEYS was ended by CLIENT UNBLOCK"
                              : fmt::format("ERR the keys would pass {} bytes, half of limits.output_bytes: use SCAN", bytes_max));
        });
        return true;
    }
    session.unblock([&](RespEncoder& to) {
        to.array(gathering.count);
        to.encoded(gathering.keys);
    });
    return true;
}

}  // namespace

void gather_keys(RespSession& session, Arguments arguments) {
    const std::string prefix(commands::redis::literal_prefix(arguments[1]));
    const auto gathering = std::make_shared<Gathering>(Gathering{.pattern = std::string(arguments[1]), .prefix = prefix, .begin = prefix});
    session.read_for_long(arguments, [gathering](RespSession& on) {
        on.services().port.waiting.keep(on.shared_session(), UINT64_MAX,
                                        [gathering](RespSession& of, bool is_ended) { return settle(of, *gathering, is_ended); });
        asio::post(on.services().connections.io, [] {});
    });
}

}  // namespace tanist::server::resp
