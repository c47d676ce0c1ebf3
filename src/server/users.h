// SPDX-License-Identifier: Apache-2.0
// Who may connect and do what: the cluster's users, as the log has them; until it has any, those of this node's configuration.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "commands/request.h"
#include "commands/state_machine.h"
#include "server/client.h"
#include "server/resp/acl.h"
#include "server/write_path.h"

namespace tanist::server {

/// Loop thread. A master that opens and finds no users in the log puts those of its configuration there, if these are any; from then on
/// the configuration of no node counts any more, but for a password that is changed in it while the master runs.
class Users {
public:
    struct Host {
        std::function<void(std::function<void()>)> later;  ///< runs it in another turn of the loop
        /// Users are others now. `anew`: by another source, so who was let in without a password must say one now.
        std::function<void(bool anew)> changed;
    };
    /// Error: as RESP tells it. nullopt: done, and in force here.
    using Done = std::function<void(const std::optional<std::string>& error)>;
    /// Makes of the users that there are those that there are to be.
    using Edit = std::function<Status(resp::Acl& users)>;

    Users(resp::Acl& acl, const Routing& routing, const commands::StateMachine& state, WritePath& writes, Host host);

    /// At start. `password` of the default user; `file` may be empty, or not be there yet.
    [[nodiscard]] Status configure(std::string password, std::filesystem::path file, bool file_replaces_log);
    /// The configuration says another password: a master tells the cluster.
    void take_password(std::string password);

    /// Once a turn: takes over what the log has come to say.
    void look();
    /// Once a tick: puts the configured users into the log where none are there.
    void tick();

    /// Changes the users of the cluster. Made anew where others were faster.
    void change(Edit edit, Done done);
    /// Reads security.acl_file into the cluster, or writes it. kUnavailable: none is configured.
    void load(Done done);
    [[nodiscard]] Status save() const;
    /// Calls `done` once no change is under way here, with what the last one came to.
    void settle(Done done);

    /// Why the users cannot be changed here, as an error of RESP; nullopt: they can.
    [[nodiscard]] std::optional<std::string> refuse_change() const;

    [[nodiscard]] bool are_the_clusters() const { return !state_.users().changed.is_zero(); }

private:
    struct Change {
        Edit edit;
        Done done;
        unsigned attempts = 0;
    };
    class Desk;

    void propose(const std::shared_ptr<Change>& change);
    void written(const std::shared_ptr<Change>& change, const commands::Outcome& outcome);
    void end(const std::shared_ptr<Change>& change, std::optional<std::string> error);
    [[nodiscard]] commands::ChangeUsers difference(const resp::Acl& wanted) const;
    void take_over();
    void tell_differences() const;

    resp::Acl& acl_;
    const resp::Acl none_;  ///< as without any configuration
    resp::Acl start_;       ///< of the configuration
    const Routing& routing_;
    const commands::StateMachine& state_;
    WritePath& writes_;
    const Host host_;
    std::shared_ptr<Desk> desk_;
    std::string password_;
    std::filesystem::path file_;
    bool file_replaces_log_ = false;
    Lsn known_;  ///< of which change acl_ is
    bool starting_ = false;
    std::size_t under_way_ = 0;
    std::optional<std::string> last_error_;
    std::vector<Done> waiting_;
};

}  // namespace tanist::server
