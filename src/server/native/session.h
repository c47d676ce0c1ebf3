// SPDX-License-Identifier: Apache-2.0
// A client that speaks the native protocol (proto/client.proto): requests in any number at a time, answered as they are done.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "protocol/client_mapping.h"
#include "protocol/client_message.h"
#include "server/client_connection.h"
#include "server/client_services.h"

namespace tanist::server {

class NativeSession final : public ClientConnection {
public:
    NativeSession(tcp::socket socket, ClientServices& services)
        : ClientConnection(std::move(socket), services.connections), services_(services) {}

    void users_changed(bool anew) override;

    void on_written(std::uint64_t ticket, const WriteResult& result) override;
    void on_read_ready(std::uint64_t ticket) override;
    void on_failed(std::uint64_t ticket, const Failure& failure) override;

protected:
    [[nodiscard]] bool take_input(protocol::ReadBuffer& input) override;
    void answer_shared(protocol::ReadBuffer& input) override;
    void settle_shared() override;
    void on_closed() override;
    [[nodiscard]] std::size_t outstanding() const override { return pending_.size() - free_.size(); }

private:
    /// What must be remembered of a write, or a read, until it is answered. Its ticket is its place in pending_.
    struct PendingWrite {
        std::uint64_t id = 0;
        protocol::native::WriteKind kind{};
        SessionId session;
        WriteLevel level{};
    };
    struct PendingSwitchover {};
    using Pending = std::variant<std::monostate, PendingWrite, PendingSwitchover, protocol::native::Request>;
    struct WaitingGet {
        std::uint64_t id;
        std::string key;
    };

    using Decoded = tl::expected<protocol::native::Request, protocol::native::Reply>;
    [[nodiscard]] bool take_request(Decoded request);
    [[nodiscard]] bool take_hello(const protocol::native::Request& request, const protocol::native::Hello& hello);
    /// nullptr: none that may come in.
    [[nodiscard]] std::shared_ptr<resp::AclUser> authenticate(const protocol::native::Hello& hello) const;
    void note_denial(std::string_view reason, std::string_view object, std::string_view user);
    void take_status(std::uint64_t id);
    void take_switchover(std::uint64_t id, NodeId target);
    void take_write(protocol::native::Request request, protocol::native::WriteKind kind);
    void take_read(protocol::native::Request request);
    void read_now(const protocol::native::Request& request);
    /// Answers the Gets that were admitted one after the other, with one look at the store; those for which there is no room wait.
    void answer_gets();
    /// The same, encoded and no more; the error is the store's.
    [[nodiscard]] Status look_up_gets();
    [[nodiscard]] Result<protocol::native::Reply> get_many(std::uint64_t id, const std::vector<std::string>& keys) const;
    /// False: it is the loop's to answer.
    bool answer_shared(protocol::native::Request& request);
    [[nodiscard]] ReadTerms terms_of(const protocol::native::Request& read) const;
    void encode(protocol::native::Reply reply);
    void reply(protocol::native::Reply reply);
    void reply_error(std::uint64_t id, const Failure& failure);
    [[nodiscard]] std::uint64_t deadline_of(const protocol::native::Request& request) const;
    [[nodiscard]] std::uint64_t remember(Pending pending);
    [[nodiscard]] Pending forget(std::uint64_t ticket);

    ClientServices& services_;
    bool has_preamble_ = false;
    std::shared_ptr<resp::AclUser> user_;  ///< null until it has said Hello
    bool has_said_password_ = false;
    std::vector<Pending> pending_;
    std::vector<std::uint64_t> free_;  ///< places in pending_ that hold nothing
    std::vector<WaitingGet> gets_;
    std::optional<Decoded> left_;        ///< by answer_shared() to the loop
    std::uint64_t shared_reads_ = 0;     ///< by answer_shared(), to be counted
    std::optional<Error> shared_fault_;  ///< the store's
};

}  // namespace tanist::server
