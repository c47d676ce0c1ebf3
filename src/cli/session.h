// SPDX-License-Identifier: Apache-2.0
// One connection to a cluster and what is to be known for every command on it: levels, deadlines, how fresh a read must be.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "cli/arguments.h"
#include "cli/failure.h"
#include "cli/streams.h"
#include "tanist/client.h"

namespace tanist::cli {

class Session {
public:
    /// `one_shot`: there is one command only, so nothing seen before that its reads could build upon.
    [[nodiscard]] static Expected<Session> connect(const Settings& settings, const Streams& streams, bool one_shot);

    [[nodiscard]] client::Client& client() { return client_; }
    [[nodiscard]] const Settings& settings() const { return settings_; }
    [[nodiscard]] const Streams& streams() const { return streams_; }
    /// Those of one line may differ from those of the program; addresses stay.
    void use(const Settings& settings) { settings_ = settings; }

    [[nodiscard]] client::CallOptions options() const;

    /// What a person should know beside the result; under --json as {"warning":"…"}.
    void tell(std::string_view message) const;

    /// Calls `read(options)`. Where no level was asked for and nothing has been seen yet, it is linearizable, so that a put of the
    /// process before is seen; without a master that could confirm it, what there is is read, with a word about it.
    template <class Read>
    [[nodiscard]] auto read(const Read& read) {
        auto options = this->options();
        if (settings_.read_level || !one_shot_) return read(options);
        auto fresh = options;
        fresh.read_level = client::ReadLevel::kLinearizable;
        fresh.deadline = std::min(options.deadline, kConfirmation);
        auto result = read(fresh);
        if (result || (result.error().code != client::ErrorCode::kUnavailable && result.error().code != client::ErrorCode::kTooStale))
            return result;
        auto stale = read(options);
        if (stale) tell("no master confirms that this is the newest state (--read-level linearizable insists, session does not ask)");
        return stale;
    }

private:
    static constexpr std::chrono::milliseconds kConfirmation{1000};

    Session(client::Client client, Settings settings, const Streams& streams, bool one_shot)
        : client_(std::move(client)), settings_(std::move(settings)), streams_(streams), one_shot_(one_shot) {}

    client::Client client_;
    Settings settings_;
    Streams streams_;
    bool one_shot_;
};

}  // namespace tanist::cli
