// SPDX-License-Identifier: Apache-2.0
#include "tanist/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/ensure.h"
#include "client/address.h"
#include "client/call.h"
#include "client/router.h"
#include "client/wire.h"
#include "protocol/client_codec.h"

namespace tanist::client {
namespace {

tl::unexpected<Error> refuse(ErrorCode code, std::string message) {
    return tl::unexpected(Error{code, Outcome::kRefused, std::move(message)});
}

Result<std::string> first_line(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line))
        return refuse(ErrorCode::kInvalidArgument, fmt::format("options.password_file = \"{}\": no line can be read", file));
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

Result<void> validate(const Options& options) {
    if (options.seeds.empty()) return refuse(ErrorCode::kInvalidArgument, "options.seeds is empty: at least one HOST:PORT is needed");
    for (const auto& seed : options.seeds) {
        if (const auto address = parse_address(seed); !address) return tl::unexpected(address.error());
    }
    if (options.client_name.size() > 256) {
        return refuse(ErrorCode::kInvalidArgument,
                      fmt::format("options.client_name has {} bytes: at most 256 are allowed", options.client_name.size()));
    }
    const auto positive = [](std::chrono::milliseconds time) { return time.count() > 0; };
    if (!positive(options.deadline) || !positive(options.silence) || !positive(options.refresh) || !positive(options.backoff_min)) {
        return refuse(ErrorCode::kInvalidArgument, "options.deadline, silence, refresh and backoff_min must be positive");
    }
    if (std::max(options.user.size(), options.password.size()) > native::kUserBytesMax) {
        return refuse(ErrorCode::kInvalidArgument,
                      fmt::format("options.user or password has more than the {} bytes that are allowed", native::kUserBytesMax));
    }
    if (options.in_flight_max == 0) return refuse(ErrorCode::kInvalidArgument, "options.in_flight_max is 0: at least 1 is needed");
    return {};
}

}  // namespace

/// Stands between the callers' threads and the client's own: hands calls over in batches, and bounds how many are in flight.
class Client::Impl {
public:
    explicit Impl(Options options)
        : options_(std::move(options)), work_(io_.get_executor()), router_(io_, options_), thread_([this] { io_.run(); }) {}

    ~Impl() {
        ENSURE(!inside());  // a client is not destroyed in one of its own callbacks
        asio::post(io_, [this] {
            {
                const std::lock_guard lock(mutex_);
                closed_ = true;
            }
            take_queue();
            router_.close();
            io_.stop();
        });
        thread_.join();
    }

    Result<void> connect() {
        std::promise<Result<void>> connected;
        asio::post(io_, [&] { router_.start([&](Result<void> result) { connected.set_value(std::move(result)); }); });
        return connected.get_future().get();
    }

    template <class Request>
    void send(Request request, Callback<typename Request::Reply> done, const CallOptions& options) {
        auto encoded = encode(std::move(request));
        auto call = std::make_unique<Call>();
        call->done = [done = std::move(done)](Result<native::Reply> reply) {
            if (reply) {
                done(decode<Request>(std::move(*reply)));
            } else {
                done(tl::unexpected(std::move(reply.error())));
            }
        };
        if (!encoded) return end(std::move(call), std::move(encoded.error()));
        call->kind = encoded->kind;
        call->name = encoded->name;
        call->request.body = std::move(encoded->body);
        call->request.read_level = to_wire(options.read_level);
        call->request.write_level = to_wire(options.write_level);
        call->request.max_lag_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, options.max_lag.count()));
        call->bytes = encoded->bytes;
        call->token = options.token;
        call->allowed = options.deadline.count() > 0 ? options.deadline : options_.deadline;
        call->deadline = Clock::now() + call->allowed;
        submit(std::move(call));
    }

    template <class Request>
    std::future<Result<typename Request::Reply>> send(Request request, const CallOptions& options) {
        auto promise = std::make_shared<std::promise<Result<typename Request::Reply>>>();
        auto future = promise->get_future();
        send(std::move(request), [promise](Result<typename Request::Reply> result) { promise->set_value(std::move(result)); }, options);
        return future;
    }

    [[nodiscard]] bool inside() const { return std::this_thread::get_id() == thread_.get_id(); }
    Router& router() { return router_; }

private:
    void submit(std::unique_ptr<Call> call) {
        const std::size_t bytes = call->bytes;
        std::unique_lock lock(mutex_);
        const auto room = [&](std::size_t times) {
            return closed_ || in_flight_ == 0 ||
                   (in_flight_ < times * options_.in_flight_max && in_flight_bytes_ + bytes <= times * options_.in_flight_bytes_max);
        };
        bool taken = room(inside() ? 2 : 1);
        if (!taken && !inside()) {
            ++waiting_for_room_;
            taken = room_.wait_until(lock, call->deadline, [&] { return room(1); });
            --waiting_for_room_;
        }
        if (closed_ || !taken) {
            lock.unlock();
            return closed_
                       ? end(std::move(call), {ErrorCode::kClosed, Outcome::kRefused, "the client is being destroyed"})
                       : end(std::move(call), {ErrorCode::kOverloaded, Outcome::kRefused,
                                               fmt::format("{} requests of {} bytes in flight: at most {} of {} are allowed", in_flight_,
                                                           in_flight_bytes_, options_.in_flight_max, options_.in_flight_bytes_max)});
        }
        ++in_flight_;
        in_flight_bytes_ += bytes;
        call->done = [this, bytes, done = std::move(call->done)](Result<native::Reply> reply) {
            leave(bytes);
            done(std::move(reply));
        };
        queue_.push_back(std::move(call));
        if (!std::exchange(queue_posted_, true)) {
            lock.unlock();
            asio::post(io_, [this] { take_queue(); });
        }
    }

    void take_queue() {
        std::vector<std::unique_ptr<Call>> calls;
        {
            const std::lock_guard lock(mutex_);
            calls.swap(queue_);
            queue_posted_ = false;
        }
        for (auto& call : calls) router_.submit(std::move(call));
    }

    void leave(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        --in_flight_;
        in_flight_bytes_ -= bytes;
        if (waiting_for_room_ > 0) room_.notify_all();  // they wait for different amounts
    }

    /// Callbacks run on the client's thread and never inside send(); when that thread is about to end, here and now.
    void end(std::unique_ptr<Call> call, Error error) {
        bool closed = false;
        {
            const std::lock_guard lock(mutex_);
            closed = closed_;
        }
        if (closed) return call->done(tl::unexpected(std::move(error)));
        asio::post(io_, [call = std::shared_ptr<Call>(std::move(call)), error = std::move(error)] { call->done(tl::unexpected(error)); });
    }

    const Options options_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    Router router_;

    std::mutex mutex_;  ///< guards what follows: callers' threads fill the queue, the client's thread empties it
    std::condition_variable room_;
    std::vector<std::unique_ptr<Call>> queue_;
    bool queue_posted_ = false, closed_ = false;
    std::size_t in_flight_ = 0, in_flight_bytes_ = 0, waiting_for_room_ = 0;

    std::thread thread_;  ///< last: it uses all of the above
};

Result<Client> Client::connect(Options options) {
    if (!options.password_file.empty()) {
        auto password = first_line(options.password_file);
        if (!password) return tl::unexpected(std::move(password.error()));
        options.password = std::move(*password);
    }
    if (const auto valid = validate(options); !valid) return tl::unexpected(valid.error());
    auto impl = std::make_unique<Impl>(std::move(options));
    if (auto connected = impl->connect(); !connected) return tl::unexpected(std::move(connected.error()));
    return Client(std::move(impl));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

SessionToken Client::token() const { return impl_->router().token(); }
void Client::observe(SessionToken token) { impl_->router().observe(token); }

template <class Request>
void Client::send(Request request, Callback<typename Request::Reply> done, const CallOptions& options) {
    impl_->send(std::move(request), std::move(done), options);
}
template void Client::send(Get, Callback<Get::Reply>, const CallOptions&);
template void Client::send(GetMany, Callback<GetMany::Reply>, const CallOptions&);
template void Client::send(Scan, Callback<Scan::Reply>, const CallOptions&);
template void Client::send(Put, Callback<Put::Reply>, const CallOptions&);
template void Client::send(Delete, Callback<Delete::Reply>, const CallOptions&);
template void Client::send(CompareAndSet, Callback<CompareAndSet::Reply>, const CallOptions&);
template void Client::send(CompareAndDelete, Callback<CompareAndDelete::Reply>, const CallOptions&);
template void Client::send(Increment, Callback<Increment::Reply>, const CallOptions&);
template void Client::send(Batch, Callback<Batch::Reply>, const CallOptions&);
template void Client::send(GetStatus, Callback<GetStatus::Reply>, const CallOptions&);
template void Client::send(Switchover, Callback<Switchover::Reply>, const CallOptions&);

template <class Request>
Result<typename Request::Reply> Client::call(Request request, const CallOptions& options) {
    if (impl_->inside()) return refuse(ErrorCode::kInvalidArgument, "a synchronous call in a callback would wait for itself: use send()");
    return impl_->send(std::move(request), options).get();
}

Result<std::optional<Value>> Client::get(std::string key, const CallOptions& options) { return call(Get{std::move(key)}, options); }
Result<std::vector<std::optional<Value>>> Client::get_many(std::vector<std::string> keys, const CallOptions& options) {
    return call(GetMany{std::move(keys)}, options);
}
Result<Page> Client::scan(Scan range, const CallOptions& options) { return call(std::move(range), options); }
Rows Client::rows(Scan range, const CallOptions& options) { return {*impl_, std::move(range), options}; }
Result<Written> Client::put(std::string key, std::string value, const CallOptions& options) {
    return call(Put{std::move(key), std::move(value)}, options);
}
Result<Written> Client::del(std::string key, const CallOptions& options) { return call(Delete{std::move(key)}, options); }
Result<Compared> Client::compare_and_set(std::string key, Expected expected, std::string value, const CallOptions& options) {
    return call(CompareAndSet{std::move(key), std::move(expected), std::move(value)}, options);
}
Result<Compared> Client::compare_and_delete(std::string key, Expected expected, const CallOptions& options) {
    return call(CompareAndDelete{std::move(key), std::move(expected)}, options);
}
Result<Incremented> Client::increment(std::string key, std::int64_t by, const CallOptions& options) {
    return call(Increment{std::move(key), by}, options);
}
Result<BatchDone> Client::batch(Batch batch, const CallOptions& options) { return call(std::move(batch), options); }
Result<ClusterStatus> Client::status(const CallOptions& options) { return call(GetStatus{}, options); }
Result<SwitchedOver> Client::switch_over(std::optional<std::uint32_t> target, const CallOptions& options) {
    return call(Switchover{target}, options);
}

// -- rows ---------------------------------------------------------------------------------------------------------------------------

Rows::Rows(Client::Impl& impl, Scan range, const CallOptions& options) : impl_(&impl), range_(std::move(range)), options_(options) {
    fetch(range_.begin);
}

void Rows::fetch(std::string begin) {
    fetched_begin_ = std::move(begin);
    Scan page = range_;
    page.begin = fetched_begin_;
    fetched_ = impl_->send(std::move(page), options_);
}

Result<std::optional<Row>> Rows::next() {
    while (at_ == page_.rows.size()) {
        if (last_) return std::nullopt;
        if (!fetched_.valid()) fetch(fetched_begin_);
        auto page = fetched_.get();
        if (!page) return tl::unexpected(std::move(page.error()));
        page_ = std::move(*page);
        at_ = 0;
        last_ = !page_.next;
        if (page_.next) fetch(std::move(*page_.next));
    }
    return std::move(page_.rows[at_++]);
}

}  // namespace tanist::client
