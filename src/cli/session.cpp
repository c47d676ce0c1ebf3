// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include "cli/json.h"
#include "cli/password.h"

namespace tanist::cli {

Expected<Session> Session::connect(const Settings& settings, const Streams& streams, bool one_shot) {
    client::Options options{
        .seeds = settings.connect, .client_name = "tanist-cli", .direct = settings.direct, .deadline = settings.timeout};
    options.connect_timeout = std::chrono::milliseconds(0);  // a person would rather know at once
    options.user = settings.user ? *settings.user : environment(kUserVariable).value_or("");
    options.password_file = settings.password_file.value_or("");
    const bool has_file = settings.password_file.has_value();
    const auto variable = has_file ? std::nullopt : environment(kPasswordVariable);
    options.password = variable.value_or("");
    auto client = client::Client::connect(options);
    const bool may_ask = !has_file && !variable && streams.ask_password;
    if (!client && client.error().code == client::ErrorCode::kUnauthenticated && may_ask) {
        if (const auto password = streams.ask_password(options.user)) {
            options.password = *password;
            client = client::Client::connect(options);
        }
    }
    if (!client) return tl::unexpected(to_failure(client.error()));
    return Session(std::move(*client), settings, streams, one_shot);
}

void Session::tell(std::string_view message) const {
    if (!settings_.json) return streams_.tell(message);
    streams_.err << JsonObject().bytes("warning", message).take() << '\n';
}

client::CallOptions Session::options() const {
    return {.read_level = settings_.read_level.value_or(client::ReadLevel::kDefault),
            .write_level = settings_.write_level.value_or(client::WriteLevel::kDefault),
            .deadline = settings_.timeout};
}

}  // namespace tanist::cli
