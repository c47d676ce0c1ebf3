// SPDX-License-Identifier: Apache-2.0
#include "tests/client/fake_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <future>
#include <set>
#include <type_traits>

#include "base/ensure.h"
#include "protocol/client_codec.h"
#include "protocol/frame.h"

namespace tanist::client::testing {

using asio::ip::tcp;

native::Reply error_reply(native::Code code, std::string message) {
    return {.body = native::ErrorReply{.code = code, .message = std::move(message)}};
}

// -- the shared state -----------------------------------------------------------------------------------------------------------------

FakeCluster::FakeCluster(unsigned nodes) {
    for (unsigned id = 1; id <= nodes; ++id) {
        states_[id] = native::NodeState::kUp;
        nodes_.push_back(std::make_unique<FakeNode>(*this, id));
    }
}
FakeCluster::~FakeCluster() {
    for (const auto& node : nodes_) node->stop();  // all of them, before the first is gone: they look at each other
}

std::vector<std::string> FakeCluster::addresses() const {
    std::vector<std::string> all;
    for (const auto& node : nodes_) all.push_back(node->address());
    return all;
}

void FakeCluster::promote(unsigned master) {
    const std::lock_guard lock(mutex_);
    ++epoch_;
    master_ = master;
}
void FakeCluster::set_state(unsigned id, native::NodeState state) {
    const std::lock_guard lock(mutex_);
    states_[id] = state;
}
native::Topology FakeCluster::topology() const {
    const std::lock_guard lock(mutex_);
    return topology_locked();
}
void FakeCluster::expire_sessions() {
    const std::lock_guard lock(mutex_);
    sessions_.clear();
}
std::optional<std::string> FakeCluster::value(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = state_.find(key);
    return found == state_.end() ? std::nullopt : std::optional(found->second.value);
}
void FakeCluster::set_value(const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex_);
    state_[key] = {value, ++lsn_};
}
std::size_t FakeCluster::size() const {
    const std::lock_guard lock(mutex_);
    return state_.size();
}
std::uint64_t FakeCluster::lsn() const {
    const std::lock_guard lock(mutex_);
    return lsn_;
}
std::uint64_t FakeCluster::executed() const {
    const std::lock_guard lock(mutex_);
    return executed_;
}

native::Topology FakeCluster::topology_locked() const {
    native::Topology topology{.epoch = {epoch_}, .master = {master_}};
    for (const auto& node : nodes_) {
        const auto id = static_cast<unsigned>(topology.nodes.size() + 1);
        topology.nodes.push_back({.id = {id},
                                  .role = id == master_ ? native::Role::kMaster : native::Role::kSlave,
                                  .state = states_.at(id),
                                  .client = node->address()});
    }
    return topology;
}

native::Reply FakeCluster::refuse_locked(native::Code code, std::string message) const {
    return {.body = native::ErrorReply{.code = code, .message = std::move(message), .topology = topology_locked()}};
}

native::Reply FakeCluster::execute(unsigned id, const native::Request& request) {
    const std::lock_guard lock(mutex_);
    native::Reply reply;
    if (std::holds_alternative<native::Hello>(request.body)) {
        reply.body = native::HelloReply{
            .server_version = "fake", .cluster_name = "fake", .cluster = {77}, .node = {id}, .topology = topology_locked()};
    } else if (std::holds_alternative<native::StatusRequest>(request.body)) {
        native::StatusReply status{.cluster_name = "fake", .cluster = {77}, .epoch = {epoch_}, .master = {master_}, .answered_by = {id}};
        for (const auto& node : topology_locked().nodes) {
            status.nodes.push_back(
                {.id = node.id, .role = node.role, .state = node.state, .client = node.client, .incarnation = {node.id.value + 100}});
            if (node.state == native::NodeState::kUp) {
                status.nodes.back().rank = Rank{{epoch_}, {lsn_}};
                status.nodes.back().commit = status.nodes.back().applied = Lsn{lsn_};
                status.nodes.back().lag_ms = status.nodes.back().lag_entries = 0;
            }
        }
        reply.body = status;
    } else if (std::holds_alternative<native::Get>(request.body) || std::holds_alternative<native::GetMany>(request.body) ||
               std::holds_alternative<native::Scan>(request.body)) {
        reply = read_locked(request);
        reply.at = {{epoch_}, {lsn_}};
    } else if (id != master_) {
        reply = master_ == 0 ? refuse_locked(native::Code::kNoQuorum, "no master known")
                             : refuse_locked(native::Code::kNotMaster, "not the master");
    } else {
        reply = write_locked(request);
    }
    reply.id = request.id;
    reply.epoch = {epoch_};
    return reply;
}

native::Value FakeCluster::value_locked(const std::string& key) const {
    const auto found = state_.find(key);
    if (found == state_.end()) return {};
    return {.found = true, .value = found->second.value, .version = {found->second.version}};
}

native::Reply FakeCluster::read_locked(const native::Request& request) const {
    if (const auto* get = std::get_if<native::Get>(&request.body)) return {.body = value_locked(get->key)};
    if (const auto* many = std::get_if<native::GetMany>(&request.body)) {
        native::Values values;
        for (const auto& key : many->keys) values.values.push_back(value_locked(key));
        return {.body = values};
    }
    const auto& scan = std::get<native::Scan>(request.body);
    native::Page page;
    const std::size_t limit = scan.limit == 0 ? 1000 : scan.limit;
    for (auto at = state_.lower_bound(std::max(scan.begin, scan.prefix)); at != state_.end(); ++at) {
        if (!at->first.starts_with(scan.prefix) || (!scan.end.empty() && at->first >= scan.end)) break;
        if (page.rows.size() == limit) {
            page.next = at->first;
            break;
        }
        page.rows.push_back({.key = at->first, .value = scan.keys_only ? "" : at->second.value, .version = {at->second.version}});
    }
    return {.body = page};
}

native::Reply FakeCluster::write_locked(const native::Request& request) {
    if (std::holds_alternative<native::RegisterSession>(request.body)) {
        const std::uint64_t session = ++lsn_;
        sessions_[session];
        return {.at = {{epoch_}, {lsn_}}, .body = native::SessionReply{{session}}};
    }
    if (std::holds_alternative<native::CloseSession>(request.body)) {
        sessions_.erase(request.session.value);
        return {.body = native::SessionReply{request.session}};
    }
    if (std::holds_alternative<native::KeepSession>(request.body)) return {.body = native::SessionReply{request.session}};
    if (request.session.is_zero()) {
        auto reply = change_locked(request.body);
        reply.at = {{epoch_}, {lsn_}};
        return reply;
    }
    const auto session = sessions_.find(request.session.value);
    if (session == sessions_.end()) return refuse_locked(native::Code::kSessionExpired, "unknown session");
    auto& answers = session->second;
    answers.erase(answers.begin(), answers.lower_bound(request.lowest_unanswered));
    if (const auto known = answers.find(request.sequence); known != answers.end()) {
        auto again = known->second;
        again.replayed = true;
        return again;
    }
    ENSURE(request.sequence >= request.lowest_unanswered && request.lowest_unanswered > 0);
    auto reply = change_locked(request.body);
    reply.at = {{epoch_}, {lsn_}};
    answers[request.sequence] = reply;
    return reply;
}

native::Reply FakeCluster::change_locked(const native::RequestBody& body) {
    ++executed_;
    const auto holds = [&](const std::string& key, const auto& test) {
        const auto now = value_locked(key);
        if constexpr (!std::is_same_v<std::decay_t<decltype(test)>, native::Expected>) {
            if (std::holds_alternative<native::Exists>(test)) return now.found;
        }
        if (const auto* value = std::get_if<native::ValueIs>(&test)) return now.found && now.value == value->value;
        if (const auto* version = std::get_if<native::VersionIs>(&test)) return now.version == version->version;
        return !now.found;
    };
    const auto put = [&](const std::string& key, const std::string& value) { state_[key] = {value, lsn_}; };
    const auto increment = [&](const std::string& key, std::int64_t by) -> std::optional<native::Value> {
        const auto now = value_locked(key);
        char* end = nullptr;
        const std::int64_t base = now.found ? std::strtoll(now.value.c_str(), &end, 10) : 0;
        if (now.found && *end != '\0') return std::nullopt;
        put(key, std::to_string(base + by));
        return value_locked(key);
    };
    if (const auto* request = std::get_if<native::Put>(&body)) {
        native::Written written{.existed = state_.contains(request->key), .version = {++lsn_}};
        put(request->key, request->value);
        return {.body = written};
    }
    if (const auto* request = std::get_if<native::Delete>(&body)) {
        ++lsn_;
        return {.body = native::Written{.existed = state_.erase(request->key) > 0, .version = {lsn_}}};
    }
    if (const auto* request = std::get_if<native::Increment>(&body)) {
        ++lsn_;
        auto value = increment(request->key, request->by);
        return value ? native::Reply{.body = *value} : refuse_locked(native::Code::kNotAnInteger, "the value is no integer");
    }
    if (const auto* request = std::get_if<native::CompareAndSet>(&body)) {
        const auto now = value_locked(request->key);
        if (!holds(request->key, request->expected))
            return {.body = native::Compared{.found = now.found, .value = now.value, .version = now.version}};
        ++lsn_;
        put(request->key, request->value);
        return {.body = native::Compared{.done = true, .version = {lsn_}}};
    }
    if (const auto* request = std::get_if<native::CompareAndDelete>(&body)) {
        const auto now = value_locked(request->key);
        if (!holds(request->key, request->expected))
            return {.body = native::Compared{.found = now.found, .value = now.value, .version = now.version}};
        ++lsn_;
        state_.erase(request->key);
        return {.body = native::Compared{.done = true, .version = {lsn_}}};
    }
    const auto& batch = std::get<native::Batch>(body);
    native::BatchReply reply;
    for (std::size_t i = 0; i < batch.conditions.size(); ++i) {
        const auto& condition = batch.conditions[i];
        if (holds(condition.key, condition.test)) continue;
        reply.failed_condition = static_cast<std::uint32_t>(i);
        reply.found = value_locked(condition.key);
        return {.body = reply};
    }
    ++lsn_;
    reply.done = true;
    for (const auto& command : batch.commands) {
        if (const auto* one = std::get_if<native::Put>(&command)) {
            reply.results.push_back({.found = true, .version = {lsn_}});
            put(one->key, one->value);
        } else if (const auto* del = std::get_if<native::Delete>(&command)) {
            reply.results.push_back({.found = state_.erase(del->key) > 0, .version = {lsn_}});
        } else if (const auto* add = std::get_if<native::Increment>(&command)) {
            reply.results.push_back(increment(add->key, add->by).value_or(native::Value{}));
        } else {
            reply.results.push_back(value_locked(std::get<native::Get>(command).key));
        }
    }
    return {.body = reply};
}

// -- one node's sockets -----------------------------------------------------------------------------------------------------------------

class FakeNode::Loop {
public:
    explicit Loop(FakeNode& node) : node_(node), acceptor_(io_), work_(io_.get_executor()), thread_([this] { io_.run(); }) {}
    ~Loop() {
        run([this] { stop(); });
        work_.reset();
        io_.stop();
        thread_.join();
    }

    /// Runs `what` on the node's thread and waits for it.
    template <class F>
    void run(F what) {
        std::promise<void> done;
        asio::post(io_, [&] {
            what();
            done.set_value();
        });
        done.get_future().get();
    }

    unsigned short start(unsigned short port) {
        const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen();
        accept();
        return acceptor_.local_endpoint().port();
    }
    void stop();
    void accept();

    asio::io_context io_;
    FakeNode& node_;
    tcp::acceptor acceptor_;
    std::set<std::shared_ptr<Connection>> connections_;
    bool paused_ = false;
    std::vector<std::pair<std::weak_ptr<Connection>, native::Request>> put_off_;
    std::vector<std::pair<std::weak_ptr<Connection>, native::Reply>> held_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

class FakeNode::Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(Loop& loop, tcp::socket socket) : loop_(loop), socket_(std::move(socket)) {}

    void read() {
        const auto room = unread_.prepare();
        socket_.async_read_some(asio::buffer(room.data(), room.size()),
                                [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
                                    if (error) {
                                        self->loop_.connections_.erase(self);
                                        return;
                                    }
                                    self->unread_.commit(bytes);
                                    if (self->take()) self->read();
                                });
    }

    /// False: the connection has been reset.
    bool take() {
        if (!introduced_) {
            const auto whole = protocol::take_client_preamble(unread_);
            ENSURE(whole);
            if (!*whole) return true;
            introduced_ = true;
        }
        for (;;) {
            const auto frame = protocol::next_frame(unread_);
            ENSURE(frame);
            if (!*frame) return true;
            auto request = native::decode_request((*frame)->bytes);
            ENSURE(request);
            if (!answer(*request)) return false;
        }
    }

    bool answer(const native::Request& request) {
        if (loop_.paused_) {
            loop_.put_off_.emplace_back(weak_from_this(), request);
            return true;
        }
        auto told = loop_.node_.scripted(request);
        Answer answer = told ? std::move(*told) : loop_.node_.cluster_.execute(loop_.node_.id_, request);
        if (std::holds_alternative<Reset>(answer)) {
            reset();
            return false;
        }
        if (auto* held = std::get_if<Held>(&answer)) {
            held->reply.id = request.id;
            loop_.held_.emplace_back(weak_from_this(), std::move(held->reply));
        }
        if (auto* reply = std::get_if<native::Reply>(&answer)) {
            reply->id = request.id;
            send(std::move(*reply));
        }
        return true;
    }

    void send(native::Reply reply) {
        std::string frame;
        native::append_to(frame, std::move(reply));
        asio::error_code ignored;
        asio::write(socket_, asio::buffer(frame), ignored);
    }

    void reset() {
        asio::error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
        loop_.connections_.erase(shared_from_this());
    }

private:
    Loop& loop_;
    tcp::socket socket_;
    protocol::ReadBuffer unread_;
    bool introduced_ = false;
};

void FakeNode::Loop::accept() {
    acceptor_.async_accept([this](const asio::error_code& error, tcp::socket socket) {
        if (error) return;
        {
            const std::lock_guard lock(node_.mutex_);
            ++node_.connections_;
        }
        auto connection = std::make_shared<Connection>(*this, std::move(socket));
        connections_.insert(connection);
        connection->read();
        accept();
    });
}

void FakeNode::Loop::stop() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    const auto all = std::exchange(connections_, {});
    for (const auto& connection : all) connection->reset();
    held_.clear();
    put_off_.clear();
}

FakeNode::FakeNode(FakeCluster& cluster, unsigned id) : cluster_(cluster), id_(id), loop_(std::make_unique<Loop>(*this)) {
    loop_->run([this] { address_ = fmt::format("127.0.0.1:{}", loop_->start(0)); });
}
FakeNode::~FakeNode() = default;

void FakeNode::script(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
}
void FakeNode::stop() {
    loop_->run([this] { loop_->stop(); });
}
void FakeNode::start() {
    loop_->run([this] { loop_->start(static_cast<unsigned short>(std::stoi(address_.substr(address_.find(':') + 1)))); });
}
void FakeNode::pause() {
    loop_->run([this] { loop_->paused_ = true; });
}
void FakeNode::resume() {
    loop_->run([this] {
        loop_->paused_ = false;
        for (const auto& [connection, request] : std::exchange(loop_->put_off_, {})) {
            if (const auto alive = connection.lock()) alive->answer(request);
        }
    });
}
void FakeNode::release() {
    loop_->run([this] {
        auto held = std::exchange(loop_->held_, {});
        std::ranges::reverse(held);
        for (auto& [connection, reply] : held) {
            if (const auto alive = connection.lock()) alive->send(std::move(reply));
        }
    });
}

std::optional<Answer> FakeNode::scripted(const native::Request& request) {
    Script script;
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        script = script_;
    }
    return script ? script(request) : std::nullopt;
}

std::vector<native::Request> FakeNode::requests() const {
    const std::lock_guard lock(mutex_);
    std::vector<native::Request> all;
    for (const auto& request : requests_) {
        const bool counts =
            !std::holds_alternative<native::Hello>(request.body) && !std::holds_alternative<native::StatusRequest>(request.body) &&
            !std::holds_alternative<native::RegisterSession>(request.body) && !std::holds_alternative<native::KeepSession>(request.body) &&
            !std::holds_alternative<native::CloseSession>(request.body);
        if (counts) all.push_back(request);
    }
    return all;
}
std::size_t FakeNode::connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
}
std::size_t FakeNode::count(const std::function<bool(const native::Request&)>& which) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(requests_, which));
}

bool await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::mutex mutex;
    std::condition_variable clock;  // of nobody's: only its timeout, so that polling leaves the processor to those who work
    std::unique_lock lock(mutex);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        clock.wait_for(lock, std::chrono::milliseconds(1));
    }
    return true;
}

}  // namespace tanist::client::testing
