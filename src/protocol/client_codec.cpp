// SPDX-License-Identifier: Apache-2.0
#include "protocol/client_codec.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/ensure.h"
#include "protocol/client_fields.h"

namespace tanist::protocol::native {
namespace {

template <class Message>
void append_frame(std::string& out, const Message& message, std::size_t message_bytes) {
    const std::size_t start = out.size();
    out.reserve(start + kFrameHeadBytes + message_bytes);  // grows by doubling all the same
    ByteWriter(out).u32(static_cast<std::uint32_t>(message_bytes));
    wire::write(out, message);
    ENSURE(out.size() == start + kFrameHeadBytes + message_bytes);
}

/// What a request must keep; knows the first thing that is wrong.
class RequestChecker {
public:
    explicit RequestChecker(const RequestLimits& limits) : limits_(limits) {}

    void check(const Request& request) {
        std::visit([this](const auto& body) { check(body); }, request.body);
        if (request.id == 0) refuse(Code::kInvalidRequest, "a request without an id");
        const bool about_session = std::holds_alternative<KeepSession>(request.body) || std::holds_alternative<CloseSession>(request.body);
        if (about_session && request.session.is_zero()) refuse(Code::kInvalidRequest, "which session is meant? Request.session is missing");
        if (request.session.is_zero() && request.sequence != 0) refuse(Code::kInvalidRequest, "a sequence number without a session");
        if (!about_session && request.lowest_unanswered > request.sequence) {
            refuse(Code::kInvalidRequest, "lowest_unanswered {} is above sequence {}", request.lowest_unanswered, request.sequence);
        }
    }
    [[nodiscard]] std::optional<ErrorReply>& error() { return error_; }

private:
    template <class... Args>
    void refuse(Code code, fmt::format_string<Args...> format, Args&&... args) {
        if (!error_) error_ = ErrorReply{code, fmt::format(format, std::forward<Args>(args)...), {}};
    }
    void key(std::string_view key) {
        if (key.size() > limits_.key_bytes_max)
            refuse(Code::kTooLarge, "a key of {} bytes: at most {} are allowed", key.size(), limits_.key_bytes_max);
    }
    void value(std::string_view value) {
        if (value.size() > limits_.value_bytes_max)
            refuse(Code::kTooLarge, "a value of {} bytes: at most {} are allowed", value.size(), limits_.value_bytes_max);
    }
    /// An end of a range; one byte more than any key, so that "right behind this key" can be said.
    void bound(std::string_view bound) {
        constexpr std::size_t kBoundBytesMax = limits::kKeyBytesMax + 1;
        if (bound.size() > kBoundBytesMax)
            refuse(Code::kTooLarge, "a bound of {} bytes: at most {} are allowed", bound.size(), kBoundBytesMax);
    }
    void test(const auto& test) {
        if (const auto* is = std::get_if<ValueIs>(&test)) value(is->value);
    }

    void check(const Hello& hello) {
        const std::size_t bytes = hello.client_name.size();
        if (bytes > kClientNameBytesMax)
            refuse(Code::kTooLarge, "a client name of {} bytes: at most {} are allowed", bytes, kClientNameBytesMax);
        if (hello.user.size() > kUserBytesMax || hello.password.size() > kUserBytesMax)
            refuse(Code::kTooLarge, "a user or password of more than the {} bytes that are allowed", kUserBytesMax);
    }
    void check(const Get& get) { key(get.key); }
    void check(const GetMany& get) {
        for (const std::string& one : get.keys) key(one);
    }
    void check(const Put& put) {
        key(put.key);
        value(put.value);
    }
    void check(const Delete& del) { key(del.key); }
    void check(const Increment& increment) { key(increment.key); }
    void check(const CompareAndSet& set) {
        key(set.key);
        test(set.expected);
        value(set.value);
    }
    void check(const CompareAndDelete& del) {
        key(del.key);
        test(del.expected);
        if (std::holds_alternative<Absent>(del.expected))
            refuse(Code::kInvalidRequest, "CompareAndDelete without the value or version to compare with");
    }
    void check(const Scan& scan) {
        bound(scan.begin);
        bound(scan.end);
        bound(scan.prefix);
    }
    void check(const Batch& batch) {
        const std::size_t items = batch.conditions.size() + batch.commands.size();
        if (items == 0) refuse(Code::kInvalidRequest, "an empty batch");
        if (items > kBatchItemsMax)
            refuse(Code::kTooLarge, "a batch of {} conditions and commands: at most {} are allowed", items, kBatchItemsMax);
        for (const Condition& condition : batch.conditions) {
            key(condition.key);
            test(condition.test);
        }
        for (const Command& command : batch.commands) std::visit([this](const auto& one) { check(one); }, command);
    }
    void check(const StatusRequest&) {}
    void check(const RegisterSession&) {}
    void check(const KeepSession&) {}
    void check(const CloseSession&) {}
    void check(const Switchover&) {}

    const RequestLimits& limits_;
    std::optional<ErrorReply> error_;
};

}  // namespace

tl::expected<Request, Reply> decode_request(Bytes frame, const RequestLimits& limits) {
    Request request;
    wire::Trouble trouble;
    wire::read(as_text(frame), request, trouble);
    const auto refuse = [&](Code code, std::string message) {
        return tl::unexpected(Reply{.id = request.id, .body = ErrorReply{code, std::move(message), {}}});
    };
    if (trouble.malformed) {
        request.id = 0;
        return refuse(Code::kInvalidRequest, fmt::format("a frame of {} bytes that is no Request of proto/client.proto", frame.size()));
    }
    if (frame.size() > limits.request_bytes_max) {
        return refuse(Code::kTooLarge,
                      fmt::format("a request of {} bytes: at most {} are allowed", frame.size(), limits.request_bytes_max));
    }
    if (trouble.too_many != 0) return refuse(Code::kTooLarge, fmt::format("a list of more than the {} that are allowed", trouble.too_many));
    if (!trouble.no_choice.empty())
        return refuse(Code::kUnsupportedRequest, fmt::format("{} of a kind that this node does not know", trouble.no_choice));
    if (trouble.unknown_enumerator) return refuse(Code::kInvalidRequest, "a read or write level that this node does not know");
    RequestChecker checker(limits);
    checker.check(request);
    if (checker.error()) return tl::unexpected(Reply{.id = request.id, .body = *std::move(checker.error())});
    return request;
}

void append_to(std::string& out, const Reply& reply) {
    const std::size_t size = wire::size_of(reply);
    if (size <= limits::kFrameBytesMax) return append_frame(out, reply, size);
    // Whoever asked for too much gets nothing of it; but a batch has been executed by then.
    const auto* batch = std::get_if<BatchReply>(&reply.body);
    Reply instead{.id = reply.id, .epoch = reply.epoch, .at = reply.at, .level_reached = reply.level_reached, .replayed = reply.replayed};
    instead.body = ErrorReply{batch != nullptr && batch->done ? Code::kAnswerForgotten : Code::kTooLarge,
                              fmt::format("the reply has {} bytes: at most {} travel", size, limits::kFrameBytesMax),
                              {}};
    append_frame(out, instead, wire::size_of(instead));
}

Status append_to(std::string& out, const Request& request) {
    const std::size_t size = wire::size_of(request);
    if (size > limits::kRequestBytesMax) {
        return fail(ErrorCode::kInvalidArgument, "a request of {} bytes: at most {} are allowed", size, limits::kRequestBytesMax);
    }
    append_frame(out, request, size);
    return {};
}

Result<Reply> decode_reply(Bytes frame) {
    Reply reply;
    wire::Trouble trouble;
    wire::read(as_text(frame), reply, trouble);
    if (trouble.malformed) return fail(ErrorCode::kCorrupt, "a frame of {} bytes that is no Reply of proto/client.proto", frame.size());
    if (!trouble.no_choice.empty())
        return fail(ErrorCode::kCorrupt, "a reply of a kind that this version does not know, to request {}", reply.id);
    return reply;
}

}  // namespace tanist::protocol::native
