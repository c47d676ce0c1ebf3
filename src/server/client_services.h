// SPDX-License-Identifier: Apache-2.0
// What a session needs to answer its client, each the one narrow thing. All of it lives as long as the loop runs.
#pragma once

#include <functional>
#include <string>

#include "base/types.h"
#include "commands/state_machine.h"
#include "protocol/client_codec.h"
#include "server/client.h"
#include "server/client_connection.h"
#include "server/counters.h"
#include "server/forwarding.h"
#include "server/read_gate.h"
#include "server/resp/acl.h"
#include "server/resp/administration.h"
#include "server/resp/cursors.h"
#include "server/resp/port.h"
#include "server/routing.h"
#include "server/switchover_desk.h"
#include "server/write_path.h"

namespace tanist::server {

class Users;
namespace sentinel {
class Watch;
}

/// A request that does not say has so long.
inline constexpr std::uint64_t kDefaultDeadlineMs = 10'000;

/// The part of the configuration that sessions go by; a reload changes it in place.
struct ClientSettings {
    std::string cluster_name;
    ReadLevel read_level = ReadLevel::kSession;
    WriteLevel write_level = WriteLevel::kQuorum;
    std::uint64_t max_lag_ms = 0;
    std::uint64_t session_lifetime_ms = 600'000;
    std::uint64_t election_timeout_ms = 1000;
    protocol::native::RequestLimits limits;
};

struct ClientServices {
    resp::Port& port;
    const resp::Acl& acl;
    Users& users;
    WritePath& writes;
    Forwarding& forwarding;
    ReadGate& reads;
    SwitchoverDesk& switchovers;
    const Routing& routing;
    const commands::StateMachine& state;
    const ClientSettings& settings;
    Counters& counters;
    ConnectionShared& connections;
    resp::Cursors& cursors;
    const sentinel::Watch* sentinel;  ///< of the Sentinel port; null: this is the client port
    std::function<std::optional<Epoch>(Lsn)> epoch_at;
    const resp::Administration& administration;
    std::function<std::string(resp::Arguments sections)> info;  ///< of Redis's INFO
    std::function<void(const Error&)> storage_failed;           ///< reading the store failed: the process ends (S4)

    [[nodiscard]] Rank applied() const { return state.position().applied.rank(); }
};

}  // namespace tanist::server
