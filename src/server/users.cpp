// SPDX-License-Identifier: Apache-2.0
#include "server/users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <map>
#include <utility>

#include "server/client_services.h"
#include "server/clock.h"
#include "server/resp/failure.h"
#include "server/user_files.h"

namespace tanist::server {
namespace {

constexpr unsigned kAttemptsMax = 16;

}  // namespace

/// Takes the answers to what was proposed.
class Users::Desk final : public Client, public std::enable_shared_from_this<Users::Desk> {
public:
    explicit Desk(Users& users) : users_(users) {}

    void submit(const std::shared_ptr<Change>& change, const commands::Logged& logged) {
        const std::uint64_t ticket = ++last_ticket_;
        changes_.emplace(ticket, change);
        if (const Status within = commands::check_limits(logged); !within)
            return on_failed(ticket, {FailureCode::kTooLarge, within.error().message});
        users_.writes_.submit(shared_from_this(), ticket, logged, {.deadline_ms = monotonic_ms() + kDefaultDeadlineMs});
    }
    void on_written(std::uint64_t ticket, const WriteResult& result) override { users_.written(take(ticket), result.outcome); }
    void on_read_ready(std::uint64_t) override {}
    void on_failed(std::uint64_t ticket, const Failure& failure) override { users_.end(take(ticket), resp::error_of(failure)); }

private:
    std::shared_ptr<Change> take(std::uint64_t ticket) { return std::move(changes_.extract(ticket).mapped()); }

    Users& users_;
    std::map<std::uint64_t, std::shared_ptr<Change>> changes_;
    std::uint64_t last_ticket_ = 0;
};

Users::Users(resp::Acl& acl, const Routing& routing, const commands::StateMachine& state, WritePath& writes, Host host)
    : acl_(acl),
      none_(acl.clone()),
      start_(acl.clone()),
      routing_(routing),
      state_(state),
      writes_(writes),
      host_(std::move(host)),
      desk_(std::make_shared<Desk>(*this)) {}

// -- where they come from -----------------------------------------------------------------------------------------------------------------

Status Users::configure(std::string password, std::filesystem::path file, bool file_replaces_log) {
    password_ = std::move(password);
    file_ = std::move(file);
    file_replaces_log_ = file_replaces_log;
    start_.require_password(password_);
    if (const auto loaded = load_users(file_, start_); !loaded) return fail(loaded.error());
    acl_.assign(start_.clone());
    if (!are_the_clusters()) return {};
    look();
    if (!file_replaces_log_) tell_differences();
    return {};
}

void Users::tell_differences() const {
    const auto own = acl_.default_user(), configured = start_.default_user();
    const bool configures_password = !password_.empty();
    if (configures_password && acl_.authenticate("default", password_) == nullptr) {
        spdlog::warn(
            "security.requirepass is not the password of the cluster's user \"default\": the cluster's users hold, this is for a new "
            "cluster; change it here while this node is the master, or by ACL SETUSER, to change it for all");
    } else if (configures_password && own->needs_no_password) {
        spdlog::warn("security.requirepass is set, but the cluster's user \"default\" needs no password: the cluster's users hold");
    }
    if (file_.empty()) return;
    std::vector<std::string> differing;
    for (const auto& [name, user] : start_.users()) {
        const resp::AclUser* known = acl_.find(name);
        if (name != "default" && (known == nullptr || known->line() != user->line())) differing.push_back(name);
    }
    if (!differing.empty()) {
        spdlog::warn(
            "security.acl_file differs from the cluster's users, which hold: ACL LOAD on the master takes the file, ACL SAVE writes it "
            "users=\"{}\"",
            fmt::join(differing, " "));
    }
}

void Users::look() {
    if (state_.users().changed != known_) take_over();
}

/// A line that this node cannot read, of a newer node perhaps, makes a user that may do nothing.
void Users::take_over() {
    const bool anew = known_.is_zero() || state_.users().changed.is_zero();
    known_ = state_.users().changed;
    if (known_.is_zero()) {
        acl_.assign(start_.clone());
    } else {
        resp::Acl fresh = none_.clone();
        for (const auto& [name, line] : state_.users().lines) {
            const Status read = fresh.read_line(line);
            if (read) continue;
            spdlog::warn("a user is off here: its rules cannot be read user=\"{}\" reason=\"{}\"", name, read.error().message);
            constexpr std::array<std::string_view, 2> kOff{"reset", "off"};
            static_cast<void>(fresh.set_user(name, kOff));
        }
        acl_.assign(std::move(fresh));
    }
    host_.changed(anew);
}

void Users::take_password(std::string password) {
    if (password == password_) return;
    password_ = std::move(password);
    start_.require_password(password_);
    if (!are_the_clusters()) return acl_.require_password(password_);
    if (refuse_change()) {
        spdlog::warn(
            "security.requirepass has changed, and holds only where this node is the master when it changes: the cluster's users hold");
        return;
    }
    change(
        [password = password_](resp::Acl& users) {
            users.require_password(password);
            return Status{};
        },
        [](const std::optional<std::string>& error) {
            error ? spdlog::error("the password of user \"default\" was not changed reason=\"{}\"", *error)
                  : spdlog::info("the password of user \"default\" is changed, on all nodes");
        });
}

void Users::tick() {
    if (starting_ || !routing_.is_master() || !routing_.view().open ||
        (!file_replaces_log_ && (are_the_clusters() || start_.text() == none_.text())))
        return;
    starting_ = true;
    change(
        [this](resp::Acl& users) {
            if (file_replaces_log_ || !are_the_clusters()) users.assign(start_.clone());  // not of what a client was faster to change
            return Status{};
        },
        [this](const std::optional<std::string>& error) {
            starting_ = false;
            if (error) return spdlog::warn("the configured users are not in the log yet reason=\"{}\"", *error);
            file_replaces_log_ = false;
            spdlog::info("the cluster has its users in the log now users={}", acl_.users().size());
        });
}

// -- changes ------------------------------------------------------------------------------------------------------------------------------

void Users::change(Edit edit, Done done) {
    ++under_way_;
    propose(std::make_shared<Change>(std::move(edit), std::move(done)));
}

void Users::propose(const std::shared_ptr<Change>& change) {
    resp::Acl wanted = acl_.clone();
    if (const Status edited = change->edit(wanted); !edited) return end(change, "ERR " + edited.error().message);
    const commands::ChangeUsers item = difference(wanted);
    if (item.users.empty() && are_the_clusters()) return end(change, std::nullopt);
    desk_->submit(change, item);
}

commands::ChangeUsers Users::difference(const resp::Acl& wanted) const {
    commands::ChangeUsers item{.expected = known_, .replaces_all = known_.is_zero(), .users = {}};
    for (const auto& [name, user] : wanted.users()) {
        const resp::AclUser* before = acl_.find(name);
        std::string line = user->line();
        if (item.replaces_all || before == nullptr || before->line() != line) item.users.push_back({name, std::move(line)});
    }
    if (item.replaces_all) return item;
    for (const auto& [name, _] : acl_.users()) {
        if (wanted.find(name) == nullptr) item.users.push_back({name, std::nullopt});
    }
    return item;
}

void Users::written(const std::shared_ptr<Change>& change, const commands::Outcome& outcome) {
    using commands::OutcomeCode;
    if (outcome.code == OutcomeCode::kConditionFailed && ++change->attempts < kAttemptsMax) {
        return host_.later([this, change] {  // others were faster: once more, upon what they made
            look();
            propose(change);
        });
    }
    look();
    if (outcome.code == OutcomeCode::kConditionFailed) return end(change, "TRYAGAIN the users are being changed by others all the time");
    end(change, resp::error_of(outcome));
}

void Users::end(const std::shared_ptr<Change>& change, std::optional<std::string> error) {
    --under_way_;
    last_error_ = std::move(error);
    const auto result = last_error_;
    change->done(result);
    if (under_way_ > 0) return;
    for (const Done& done : std::exchange(waiting_, {})) done(result);
}

void Users::settle(Done done) {
    if (under_way_ > 0) return waiting_.push_back(std::move(done));
    done(std::nullopt);
}

// -- the file -----------------------------------------------------------------------------------------------------------------------------

void Users::load(Done done) {
    change(
        [file = file_](resp::Acl& users) -> Status {
            const auto loaded = load_users(file, users);
            return loaded ? Status{} : fail(loaded.error());
        },
        std::move(done));
}

std::optional<std::string> Users::refuse_change() const {
    const auto failure = are_the_clusters() ? routing_.refuse_write() : std::nullopt;
    return failure ? std::optional(resp::error_of(*failure)) : std::nullopt;
}

Status Users::save() const { return save_users(file_, acl_); }

}  // namespace tanist::server
