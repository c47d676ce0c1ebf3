// SPDX-License-Identifier: Apache-2.0
// One client's byte stream in both directions, whatever it speaks: bounded buffers, one write a turn, pauses for slow readers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/read_buffer.h"
#include "server/client.h"
#include "server/shared_turns.h"
#include "server/socket_poller.h"
#include "server/sockets.h"

namespace tanist::server {

class ClientConnection;

/// Connections with something to write, each once; flushed when a turn ends.
class OutputQueue {
public:
    void add(std::shared_ptr<ClientConnection> connection) { connections_.push_back(std::move(connection)); }
    void flush(SharedTurns& turns);

private:
    std::vector<std::shared_ptr<ClientConnection>> connections_, flushing_;
};

struct ConnectionLimits {
    std::size_t output_bytes_max = 64 << 20;  ///< unsent replies; more ends the connection
    std::size_t outstanding_max = 16'384;     ///< requests read and not answered; at it, no more are read
};

/// What the connections of a server have in common. Loop thread.
struct ConnectionShared {
    ConnectionShared(asio::io_context& loop, SharedTurns& shared_turns) : io(loop), turns(shared_turns), poller(loop, shared_turns) {}

    asio::io_context& io;
    SharedTurns& turns;
    SocketPoller poller;
    OutputQueue output;
    ConnectionLimits limits;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::uint64_t now_ms = 0;                                                       ///< as of the last tick
    std::unordered_map<ClientConnection*, std::shared_ptr<ClientConnection>> open;  ///< owns them; answers under way do, too

    /// A copy: what is done to one connection may close others.
    [[nodiscard]] std::vector<std::shared_ptr<ClientConnection>> all() const;
};

/// Owned by ConnectionShared::open while it is open. Requests are not read while the client does not read its replies; it is dropped when
/// these pass their limit, or when it has read nothing for a minute.
class ClientConnection : public Client, public SocketPoller::Watcher, public std::enable_shared_from_this<ClientConnection> {
public:
    ClientConnection(tcp::socket socket, ConnectionShared& shared);
    ~ClientConnection() override;

    void start();
    /// Sends what is there, on any thread, as on_ready_shared(); then sent() follows on the loop's. Called by the OutputQueue.
    void send();
    void sent();
    /// At once; nothing is answered any more.
    void drop();
    /// Takes no more requests, and ends once what was asked is answered and written.
    void finish();
    /// Ends so that its client looks for another node with its next request: right behind an answer, where it sends one request at a time;
    /// else when nothing has been under way for kRestMs, for between two parts of a pipeline there is a pause as well.
    void part();
    static constexpr std::uint64_t kRestMs = 100;
    [[nodiscard]] bool is_parting() const override { return parting_ && !finishing_; }
    virtual void tick();
    /// What held it back may be over: looks again, soon.
    void wake() { replied(); }
    void on_ready_shared(std::uint32_t events) override;
    void on_ready(std::uint32_t events) override;

    [[nodiscard]] bool is_open() const { return open_; }
    /// The client sends nothing any more, or is sent away: the answers that it waits for are all that keeps the connection.
    [[nodiscard]] bool is_ending() const { return finishing_ || client_has_ended_; }
    [[nodiscard]] bool speaks_resp() const { return speaks_resp_; }
    [[nodiscard]] std::string remote() const;
    [[nodiscard]] std::string local() const;
    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] std::uint64_t opened_ms() const { return opened_ms_; }
    [[nodiscard]] std::uint64_t heard_ms() const { return heard_ms_; }  ///< when it last sent something
    [[nodiscard]] std::size_t unread() const { return input_.unread().size(); }
    [[nodiscard]] std::size_t unsent() const { return output_.size() - sent_; }

protected:
    /// Answers, or asks, what `input` holds whole, until it is_full(). A false result ends the connection once all is written.
    [[nodiscard]] virtual bool take_input(protocol::ReadBuffer& input) = 0;
    /// Answers reads at the front of `input`, as far as that changes nothing but this connection: on any thread, see on_ready_shared().
    virtual void answer_shared(protocol::ReadBuffer& /*input*/) {}
    /// On the loop's thread: what answer_shared() did beside answering is made up for. take_input() follows.
    virtual void settle_shared() {}
    /// Requests that are not answered yet.
    [[nodiscard]] virtual std::size_t outstanding() const = 0;
    /// A request that was taken must wait for the answers of those before it; nothing behind it is taken meanwhile.
    [[nodiscard]] virtual bool holds_back() const { return false; }
    /// What was answered last leaves nothing open that its client will come back to.
    [[nodiscard]] virtual bool may_part() const { return true; }
    /// How many have been taken since it began.
    [[nodiscard]] virtual std::uint64_t requests_taken() const { return 0; }

public:
    /// Users, their rights or passwords are others now. `anew`: who was let in without a password must say one.
    virtual void users_changed(bool anew) { static_cast<void>(anew); }

protected:
    /// It has just ended, for whatever reason; answers under way may keep the object a while.
    virtual void on_closed() {}

    /// Where replies are appended; call replied() when there is something.
    [[nodiscard]] std::string& output() { return output_; }
    void replied();
    /// No more requests are to be taken now; what is left is looked at again later.
    [[nodiscard]] bool is_full() const { return output_is_full() || outstanding() >= shared_.limits.outstanding_max || holds_back(); }
    [[nodiscard]] bool output_is_full() const { return unsent() + kept_back() >= pause_at_; }
    /// Bytes of replies that wait for one before them.
    [[nodiscard]] virtual std::size_t kept_back() const { return 0; }
    /// Bytes unsent and kept back at which the connection is ended.
    [[nodiscard]] virtual std::size_t output_bytes_max() const { return shared_.limits.output_bytes_max; }
    void set_speaks_resp() { speaks_resp_ = true; }
    [[nodiscard]] ConnectionShared& shared() const { return shared_; }

private:
    struct Received {
        ssize_t bytes = 0;  ///< 0: the client's direction has ended; negative: none, see `error`
        int error = 0;
    };

    /// Into input_.
    [[nodiscard]] Received receive();
    void read();
    void process();
    void resume();
    /// Tells the poller when what is waited for has changed.
    void update_interest();
    [[nodiscard]] bool is_readable(std::uint32_t events) const { return (events & interest_ & EPOLLIN) != 0; }
    /// `is_end`: the connection ends behind this, if all of it goes out. False: it has failed.
    [[nodiscard]] bool write_some(bool is_end);
    /// Everything that was read is answered.
    [[nodiscard]] bool is_at_rest() const { return outstanding() == 0 && !backlog_ && unread() == 0; }
    /// Nor is there more to read, and its client needs it no more.
    [[nodiscard]] bool can_part() const;
    void close();
    /// False: it was closed already.
    bool leave();

    ConnectionShared& shared_;
    const tcp protocol_;
    int descriptor_;              ///< non-blocking; taken out of Asio's hands
    std::uint32_t interest_ = 0;  ///< as the poller knows it
    protocol::ReadBuffer input_;
    std::optional<Received> received_;  ///< by on_ready_shared()
    std::string output_;
    std::size_t sent_ = 0;  ///< of output_
    std::size_t pause_at_;
    std::uint64_t opened_ms_, heard_ms_;
    std::uint64_t progress_ms_ = 0;  ///< when the client last took bytes
    bool open_ = true;
    bool backlog_ = false;  ///< input_ may hold requests that were left there because it was full
    bool finishing_ = false;
    bool client_has_ended_ = false;  ///< its own direction; what it sent before may not be read yet
    bool parting_ = false;
    std::uint64_t requests_at_rest_ = 0;  ///< requests_taken() when it last was at rest
    bool queued_ = false;                 ///< in the OutputQueue
    bool waiting_to_write_ = false;
    std::uint64_t just_sent_bytes_ = 0;  ///< by send(), as the next two, for sent()
    bool just_failed_ = false;
    bool parts_now_ = false;  ///< it ends behind what send() was to send
    bool speaks_resp_ = false;
};

}  // namespace tanist::server
