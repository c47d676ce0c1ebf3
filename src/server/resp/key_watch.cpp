// SPDX-License-Identifier: Apache-2.0
#include "server/resp/key_watch.h"

#include <utility>

namespace tanist::server::resp {
namespace {

char letter_of(commands::EventClass of) {
    switch (of) {
        case commands::EventClass::kString: return '$';
        case commands::EventClass::kExpired: return 'x';
        case commands::EventClass::kNew: return 'n';
        case commands::EventClass::kGeneric:
        case commands::EventClass::kFlushed: break;
    }
    return 'g';
}

}  // namespace

void KeyWatch::set_classes(config::EventClasses classes) {
    classes_ = classes;
    update();
}

void KeyWatch::update() {
    const bool watches = tracking_.is_used() || classes_.is_used();
    if (watches == std::exchange(watches_, watches) || !watch_) return;
    watch_(watches ? &events_ : nullptr);
}

void KeyWatch::note_authors(const AuthorOf& author_of) {
    if (!tracking_.wants_authors()) return;
    for (std::size_t i = authors_.size(); i < events_.size(); ++i) authors_.push_back(author_of(events_[i].entry, events_[i].item));
}

void KeyWatch::deliver() {
    const auto authors = std::exchange(authors_, {});
    for (std::size_t i = 0; i < events_.size(); ++i) {
        const commands::KeyEvent& event = events_[i];
        if (event.of == commands::EventClass::kFlushed) {
            tracking_.all_changed();
            continue;
        }
        publish(event);
        const bool is_told_again = event.of == commands::EventClass::kNew;  // by the event of the command that stored it
        if (tracking_.is_used() && !is_told_again) tracking_.changed(event.key, i < authors.size() ? authors[i] : nullptr);
    }
    events_.clear();
    tracking_.settle();
}

void KeyWatch::publish(const commands::KeyEvent& event) const {
    if (!classes_.is_used() || !classes_.has(letter_of(event.of))) return;
    if (classes_.has('K')) pubsub_.publish("__keyspace@0__:" + event.key, event.name);
    if (classes_.has('E')) pubsub_.publish("__keyevent@0__:" + std::string(event.name), event.key);
}

}  // namespace tanist::server::resp
