// SPDX-License-Identifier: Apache-2.0
// What is applied on this node, told to its own connections: keyspace notifications, and the invalidations of CLIENT TRACKING.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/key_events.h"
#include "server/client.h"
#include "server/resp/pubsub.h"
#include "server/resp/tracking.h"

namespace tanist::server::resp {

/// Which events are published, as notify-keyspace-events says it: a bit for each of kLetters.
class EventClasses {
public:
    static constexpr std::string_view kLetters = "g$lshzxetdnKEm";
    /// Nullopt: a letter that Redis does not know. "A" stands for those up to d.
    [[nodiscard]] static std::optional<EventClasses> parse(std::string_view letters);
    /// As Redis writes it.
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] bool has(char letter) const { return (bits_ >> kLetters.find(letter) & 1) != 0; }
    /// Something of it can be published.
    [[nodiscard]] bool is_used() const { return has('K') || has('E'); }

private:
    std::uint32_t bits_ = 0;
};

/// Loop thread. Costs nothing while nobody listens: then nothing is noted of what is applied.
class KeyWatch {
public:
    using Watch = std::function<void(std::vector<commands::KeyEvent>*)>;  ///< as commands::StateMachine::watch()
    using AuthorOf = std::function<const Client*(Rank entry, std::size_t item)>;

    KeyWatch(const PubSub& pubsub, Tracking& tracking) : pubsub_(pubsub), tracking_(tracking) {}
    void set_source(Watch watch) { watch_ = std::move(watch); }

    [[nodiscard]] EventClasses classes() const { return classes_; }
    void set_classes(EventClasses classes);
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
    EventClasses classes_;
    bool watches_ = false;
    std::vector<commands::KeyEvent> events_;
    std::vector<const Client*> authors_;  ///< of the first events; of those behind, nobody knows
};

}  // namespace tanist::server::resp
