// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

namespace tanist::cli {

Expected<Session> Session::connect(const Settings& settings, const Streams& streams, bool one_shot) {
    client::Options options{
        .seeds = settings.connect, .client_name = "tanist-cli", .direct = settings.direct, .deadline = settings.timeout};
    options.connect_timeout = std::chrono::milliseconds(0);  // a person would rather know at once
    auto client = client::Client::connect(std::move(options));
    if (!client) return tl::unexpected(to_failure(client.error()));
    return Session(std::move(*client), settings, streams, one_shot);
}

client::CallOptions Session::options() const {
    return {.read_level = settings_.read_level.value_or(client::ReadLevel::kDefault),
            .write_level = settings_.write_level.value_or(client::WriteLevel::kDefault),
            .deadline = settings_.timeout};
}

}  // namespace tanist::cli
