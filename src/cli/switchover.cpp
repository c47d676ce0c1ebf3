// SPDX-License-Identifier: Apache-2.0
#include "cli/switchover.h"

#include "cli/json.h"

namespace tanist::cli {

Expected<Exit> run(Session& session, const SwitchoverCommand& switchover) {
    const auto done = session.client().switch_over(switchover.to, session.options());
    if (!done) return tl::unexpected(to_failure(done.error()));
    session.streams().out << (session.settings().json ? JsonObject().number("master", done->master).number("epoch", done->epoch).take()
                                                      : fmt::format("node {} is master, epoch {}", done->master, done->epoch))
                          << '\n';
    return Exit::kOk;
}

}  // namespace tanist::cli
