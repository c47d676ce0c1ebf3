// SPDX-License-Identifier: Apache-2.0
#include "server/resp/tracking.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;
using protocol::RespVersion;

constexpr std::string_view kChannel = "__redis__:invalidate";

/// Tells the session, or the one that it has named instead. `encode_keys`: an array, or null for all keys.
template <class EncodeKeys>
void tell_session(RespSession& session, const EncodeKeys& encode_keys) {
    TrackingMode& mode = *session.tracking();
    const auto other = mode.other.lock();
    const bool redirects = mode.redirect != 0;
    if (redirects && (!other || !other->is_open())) {
        mode.is_broken = true;
        if (session.version() == RespVersion::k2) return;
        return session.push([&](RespEncoder& to) {
            to.push(2);
            to.bulk("tracking-redir-broken");
            to.integer(static_cast<std::int64_t>(mode.redirect));
        });
    }
    RespSession& target = redirects ? *other : session;
    // In RESP2 a message needs a channel that the connection listens to, and so another connection than that of the commands.
    const bool as_message = target.version() == RespVersion::k2;
    if (as_message && !(redirects && target.listens())) return;
    target.push([&](RespEncoder& to) {
        to.push(as_message ? 3 : 2);
        to.bulk(as_message ? "message" : "invalidate");
        if (as_message) to.bulk(kChannel);
        encode_keys(to);
    });
}

void tell_keys(RespSession& session, std::span<const std::string_view> keys) {
    tell_session(session, [&](RespEncoder& to) {
        to.array(keys.size());
        for (const std::string_view key : keys) to.bulk(key);
    });
}

bool spares(RespSession& session, const Client* author) {
    return session.tracking()->spares_own && author == static_cast<const Client*>(&session);
}

}  // namespace

void Tracking::start(RespSession& session) {
    leave(session);
    sessions_.emplace(session.id(), &session);
    sparing_ += session.tracking()->spares_own ? 1 : 0;
    for (const std::string& prefix : session.tracking()->prefixes) {
        prefixes_[prefix].sessions.insert(&session);
        longest_prefix_ = std::max(longest_prefix_, prefix.size());
    }
}

void Tracking::stop(RespSession& session) {
    if (leave(session) && sessions_.empty()) forget_all();  // nobody notices changes from here on
}

void Tracking::forget_all() {
    readers_.clear();
    items_of_.clear();
    items_ = gone_ = 0;
}

void Tracking::forget(const RespSession& session) {
    const auto known = items_of_.find(session.id());
    if (known == items_of_.end()) return;
    gone_ += known->second;
    items_of_.erase(known);
}

bool Tracking::leave(RespSession& session) {
    if (sessions_.erase(session.id()) == 0) return false;
    sparing_ =
        static_cast<std::size_t>(std::ranges::count_if(sessions_, [](const auto& each) { return each.second->tracking()->spares_own; }));
    for (auto each = prefixes_.begin(); each != prefixes_.end();) {
        each->second.sessions.erase(&session);
        each = each->second.sessions.empty() ? prefixes_.erase(each) : std::next(each);
    }
    longest_prefix_ = 0;
    for (const auto& [prefix, _] : prefixes_) longest_prefix_ = std::max(longest_prefix_, prefix.size());
    return true;
}

void Tracking::remember(const RespSession& session, std::string_view key) {
    if (!readers_[std::string(key)].insert(session.id()).second) return;
    ++items_;
    ++items_of_[session.id()];
}

void Tracking::gather(std::string_view prefix, std::string_view key, const Client* author) {
    const auto found = prefixes_.find(prefix);
    if (found == prefixes_.end()) return;
    const auto [known, is_new] = found->second.changed.try_emplace(std::string(key), author);
    if (!is_new && known->second != author) known->second = nullptr;
}

void Tracking::changed(std::string_view key, const Client* author) {
    // However many prefixes there are: no more of them are looked up than the longest has bytes.
    for (std::size_t bytes = 0; !prefixes_.empty() && bytes <= std::min(key.size(), longest_prefix_); ++bytes) {
        gather(key.substr(0, bytes), key, author);
    }
    if (const auto found = readers_.find(std::string(key)); found != readers_.end()) {
        const auto read = readers_.extract(found);
        tell_readers(read.key(), read.mapped(), author);
    }
}

void Tracking::tell_readers(const std::string& key, const Readers& readers, const Client* author) {
    const std::string_view one = key;
    items_ -= readers.size();
    for (const std::uint64_t id : readers) {
        const auto items = items_of_.find(id);
        if (items == items_of_.end()) {
            --gone_;
            continue;
        }
        --items->second;
        const auto session = sessions_.find(id);
        if (session == sessions_.end() || session->second->tracking()->broadcasts) continue;
        if (!spares(*session->second, author)) {
            tell_keys(*session->second, {&one, 1});
        } else {
            remember(*session->second, key);  // of a read and a write in one entry, nobody here knows which came first
        }
    }
}

void Tracking::tell(RespSession& session, const std::set<std::string>& keys) {
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    tell_keys(session, views);
}

void Tracking::all_changed() {
    forget_all();
    for (auto& [_, prefix] : prefixes_) prefix.changed.clear();
    for (const auto& [_, session] : sessions_) tell_session(*session, [](RespEncoder& to) { to.null(); });
}

void Tracking::settle() {
    for (auto& [_, prefix] : prefixes_) {
        if (prefix.changed.empty()) continue;
        for (RespSession* session : prefix.sessions) {
            std::vector<std::string_view> keys;
            for (const auto& [key, author] : prefix.changed) {
                if (!spares(*session, author)) keys.push_back(key);
            }
            if (!keys.empty()) tell_keys(*session, keys);
        }
        prefix.changed.clear();
    }
    while (keys_max != 0 && readers_.size() > keys_max) {
        const auto forgotten = readers_.extract(readers_.begin());
        tell_readers(forgotten.key(), forgotten.mapped(), nullptr);
    }
    forget_gone();
}

/// Some buckets a turn, round and round, as long as there is something to be found.
void Tracking::forget_gone() {
    constexpr std::size_t kBucketsAtOnce = 256;
    const auto is_gone = [this](std::uint64_t id) { return !items_of_.contains(id); };
    for (std::size_t i = 0; i < kBucketsAtOnce && gone_ > 0; ++i) {
        bucket_ = (bucket_ + 1) % readers_.bucket_count();
        std::vector<std::string> unread;
        for (auto key = readers_.begin(bucket_); key != readers_.end(bucket_); ++key) {
            const std::size_t forgotten = std::erase_if(key->second, is_gone);
            gone_ -= forgotten;
            items_ -= forgotten;
            if (key->second.empty()) unread.push_back(key->first);
        }
        for (const std::string& key : unread) readers_.erase(key);
    }
}

}  // namespace tanist::server::resp
