// SPDX-License-Identifier: Apache-2.0
// What is applied on this node, told to its own connections: keyspace notifications, and the invalidations of CLIENT TRACKING.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/key_events.h"
#include "config/redis_values.h"
#include "server/client.h"
#include "server/resp/pubsub.h"
#include "server/resp/tracking.h"

namespace tanist::server::resp {

/// Loop thread. Costs nothing while nobody listens: then nothing is noted of what is applied.
class KeyWatch {
public:
    using Watch = std::function<void(std::vector<commands::KeyEvent>*)>;  ///< as commands::StateMachine::watch()
    using AuthorOf = std::function<const Client*(Rank entry, std::size_t item)>;

    KeyWatch(const PubSub& pubsub, Tracking& tracking) : pubsub_(pubsub), tracking_(tracking) {}
    void set_source(Watch watch) { watch_ = std::move(watch); }

    void set_classes(config::EventClasses classes);
    /// Tracking was turned on or off somewhere.
    void update();

    /// Before requests are answered: who made them is not known afterwards.
    void note_authors(const AuthorOf& author_of);
    void deliver();

private:
    void publish(const commands::KeyEvent& event) const;

    const PubSub& pubsub_;
    Tracking& tracking_;
    Watch watch_;
    config::EventClasses classes_;
    bool watches_ = false;
    std::vector<commands::KeyEvent> events_;
    std::vector<const Client*> authors_;  ///< of the first events; of those behind, nobody knows
};

}  // namespace tanist::server::resp
