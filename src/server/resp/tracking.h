// SPDX-License-Identifier: Apache-2.0
// CLIENT TRACKING: which connections of this node have read which keys, so that they are told when one of these changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "server/client.h"

namespace tanist::server {

class RespSession;

namespace resp {

/// Of one connection, and of one prefix: each change of a key is held against them.
inline constexpr std::size_t kPrefixesMax = 128, kPrefixBytesMax = 256;

/// Of one connection that has turned it on.
struct TrackingMode {
    bool broadcasts = false;  ///< told of all keys with its prefixes, whether it has read them or not
    bool opts_in = false, opts_out = false;
    bool spares_own = false;           ///< NOLOOP: not told of what it changes itself
    bool is_caching_said = false;      ///< CLIENT CACHING, for the next command
    std::uint64_t redirect = 0;        ///< the connection that is told instead; 0: none
    std::weak_ptr<RespSession> other;  ///< that one
    bool is_broken = false;            ///< it is gone
    std::set<std::string, std::less<>> prefixes;

    /// Whether keys of the command that is being run are to be remembered.
    [[nodiscard]] bool remembers() const {
        if (broadcasts) return false;
        return opts_in ? is_caching_said : !(opts_out && is_caching_said);
    }
};

/// Loop thread. What it keeps is bounded by `keys_max`: beyond it, keys are forgotten, and who has read them is told that they changed.
class Tracking {
public:
    std::size_t keys_max = 1'000'000;  ///< as Redis's tracking-table-max-keys; 0: any number

    /// From here on, or anew, by session.tracking().
    void start(RespSession& session);
    void stop(RespSession& session);
    /// It has ended, and what it has read interests nobody.
    void forget(const RespSession& session);
    void remember(const RespSession& session, std::string_view key);
    /// That these keys have changed, or may have, since it read them.
    void tell(RespSession& session, const std::set<std::string>& keys);

    /// `author`: whose request it was; null: not known, or of another node.
    void changed(std::string_view key, const Client* author);
    void all_changed();
    /// When a turn ends: tells the broadcasts that changed() has gathered, forgets keys beyond `keys_max`, and some of what is remembered
    /// of connections that are gone.
    void settle();

    [[nodiscard]] bool is_used() const { return !sessions_.empty(); }
    /// Somebody asks for changed()'s author.
    [[nodiscard]] bool wants_authors() const { return sparing_ > 0; }
    [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }
    [[nodiscard]] std::size_t keys() const { return readers_.size(); }
    [[nodiscard]] std::size_t items() const { return items_; }
    [[nodiscard]] std::size_t prefixes() const { return prefixes_.size(); }

private:
    struct Prefix {
        std::set<RespSession*> sessions;
        std::map<std::string, const Client*, std::less<>> changed;  ///< by whom; null: by several, or not known
    };
    /// False: it was not here.
    bool leave(RespSession& session);
    void gather(std::string_view prefix, std::string_view key, const Client* author);

    using Readers = std::set<std::uint64_t>;  ///< ids, some of them gone
    void tell_readers(const std::string& key, const Readers& readers, const Client* author);
    void forget_all();
    void forget_gone();

    std::unordered_map<std::uint64_t, RespSession*> sessions_;  ///< by id
    std::unordered_map<std::string, Readers> readers_;          ///< by key
    std::map<std::string, Prefix, std::less<>> prefixes_;
    std::size_t longest_prefix_ = 0;
    std::size_t items_ = 0;                                    ///< ids in all of readers_
    std::unordered_map<std::uint64_t, std::size_t> items_of_;  ///< of these, by id of a connection that is open
    std::size_t gone_ = 0;                                     ///< of these, the others
    std::size_t bucket_ = 0;                                   ///< of readers_, where they are looked for next
    std::size_t sparing_ = 0;                                  ///< sessions that spare their own
};

}  // namespace resp
}  // namespace tanist::server
