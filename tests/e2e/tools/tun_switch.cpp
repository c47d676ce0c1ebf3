// SPDX-License-Identifier: Apache-2.0
// A network switch in user space for the end-to-end tests: it owns a TUN device in each node's network namespace and carries IPv4
// packets between them, each direction of each pair under rules of its own. Commands come on standard input, a line each, and are
// answered by a line "ok …" or "error …"; it ends with its input, and the devices with it.
//
//   port NAMESPACE ADDRESS             makes the device eth0 there; packets to ADDRESS go to it
//   link FROM TO pass | drop | reset   addresses, one direction. reset: TCP packets are answered with RST, as by a firewall
//   shape FROM TO DELAY_US JITTER_US LOSS_PPM DUPLICATE_PPM BYTES_A_SECOND
//                                      jitter reorders; 0 bytes a second: no bound; at most 200 ms of packets wait for a slow link
//   clear                              every link passes at once again
//   stats                              counters since the start: "ok passed=… dropped=… lost=… duplicated=… delayed=… reset=… choked=…"
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using Address = std::uint32_t;  // in network order, as it lies in a packet
using Packet = std::vector<std::uint8_t>;

constexpr microseconds kQueueMax{200'000};
constexpr std::size_t kPacketBytesMax = 65'536;
constexpr std::uint32_t kMillion = 1'000'000;

enum class Mode : std::uint8_t { kPass, kDrop, kReset };

/// One direction between two addresses.
struct Link {
    Mode mode = Mode::kPass;
    microseconds delay{0}, jitter{0};
    std::uint32_t loss_ppm = 0, duplicate_ppm = 0;
    std::uint64_t bytes_a_second = 0;
    Clock::time_point busy_until;
};

struct Port {
    Address address = 0;
    int device = -1;
};

struct Waiting {
    Clock::time_point due;
    std::uint64_t number = 0;  // packets of one time keep their order
    int device = -1;
    Packet packet;
    friend bool operator>(const Waiting& a, const Waiting& b) { return std::pair(a.due, a.number) > std::pair(b.due, b.number); }
};

struct Counters {
    std::uint64_t passed = 0, dropped = 0, lost = 0, duplicated = 0, delayed = 0, reset = 0, choked = 0;
};

/// The device eth0 in a network namespace; -1: errno says why not.
int open_device(const std::string& name) {
    const int home = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const int there = ::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    int device = -1;
    if (home >= 0 && there >= 0 && ::setns(there, CLONE_NEWNET) == 0) {
        device = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
        ifreq request{};
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        std::snprintf(request.ifr_name, sizeof request.ifr_name, "eth0");
        if (device >= 0 && ::ioctl(device, TUNSETIFF, &request) != 0) {
            const int code = errno;
            ::close(std::exchange(device, -1));
            errno = code;
        }
        const int code = errno;
        if (::setns(home, CLONE_NEWNET) != 0) std::abort();  // nothing could be trusted to happen where it should
        errno = code;
    }
    const int code = errno;
    if (home >= 0) ::close(home);
    if (there >= 0) ::close(there);
    errno = code;
    return device;
}

std::uint16_t checksum(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return htons(static_cast<std::uint16_t>(~sum));
}

/// What a firewall that rejects with a TCP reset answers to `packet`; nullopt: nothing, it is a reset itself or no TCP.
std::optional<Packet> reset_of(std::span<const std::uint8_t> packet) {
    iphdr ip;
    tcphdr tcp;
    std::memcpy(&ip, packet.data(), sizeof ip);
    const std::size_t header = ip.ihl * 4u;
    if (ip.protocol != IPPROTO_TCP || packet.size() < header + sizeof tcp) return std::nullopt;
    std::memcpy(&tcp, packet.data() + header, sizeof tcp);
    if (tcp.rst) return std::nullopt;

    iphdr back{};
    back.version = 4;
    back.ihl = sizeof back / 4;
    back.tot_len = htons(sizeof(iphdr) + sizeof(tcphdr));
    back.ttl = 64;
    back.protocol = IPPROTO_TCP;
    back.saddr = ip.daddr;
    back.daddr = ip.saddr;
    tcphdr reset{};
    reset.source = tcp.dest;
    reset.dest = tcp.source;
    reset.doff = sizeof reset / 4;
    reset.rst = 1;
    if (tcp.ack) {
        reset.seq = tcp.ack_seq;
    } else {
        const auto payload = static_cast<std::uint32_t>(packet.size() - header - tcp.doff * 4u);
        reset.ack = 1;
        reset.ack_seq = htonl(ntohl(tcp.seq) + payload + tcp.syn + tcp.fin);
    }
    Packet answer(sizeof back + sizeof reset);
    std::memcpy(answer.data(), &back, sizeof back);
    std::memcpy(answer.data() + sizeof back, &reset, sizeof reset);
    const std::uint16_t ip_sum = checksum(std::span(answer).first(sizeof back));
    std::memcpy(answer.data() + offsetof(iphdr, check), &ip_sum, sizeof ip_sum);
    // The checksum of TCP covers both addresses, the protocol and the length, too.
    std::uint32_t pseudo = IPPROTO_TCP + sizeof reset;
    for (const Address address : {back.saddr, back.daddr}) pseudo += (ntohl(address) >> 16) + (ntohl(address) & 0xffff);
    const std::uint16_t tcp_sum = checksum(std::span(answer).subspan(sizeof back), pseudo);
    std::memcpy(answer.data() + sizeof back + offsetof(tcphdr, check), &tcp_sum, sizeof tcp_sum);
    return answer;
}

class Switch {
public:
    explicit Switch(std::uint64_t seed) : random_(seed) {}

    /// The answer to a command.
    std::string obey(const std::string& line);
    void run();

private:
    std::string add_port(std::istringstream& words);
    std::string set_mode(std::istringstream& words);
    std::string set_shape(std::istringstream& words);
    Link* link_of(std::istringstream& words);
    bool read_commands();
    void read_device(const Port& from);
    void carry(const Port& from, std::span<const std::uint8_t> packet);
    void send_later(Link& link, int device, std::span<const std::uint8_t> packet);
    void send(int device, std::span<const std::uint8_t> packet) {
        if (::write(device, packet.data(), packet.size()) < 0) ++counters_.dropped;  // the device is down, or its queue is full
    }
    void send_what_is_due();
    bool draw(std::uint32_t ppm) { return ppm != 0 && random_() % kMillion < ppm; }

    std::vector<Port> ports_;
    std::map<std::pair<Address, Address>, Link> links_;
    std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
    std::uint64_t number_ = 0;
    std::mt19937_64 random_;
    Counters counters_;
    std::string input_;
};

std::string Switch::add_port(std::istringstream& words) {
    std::string name, address;
    words >> name >> address;
    in_addr parsed{};
    if (::inet_pton(AF_INET, address.c_str(), &parsed) != 1) return "error port: an IPv4 address must follow the namespace";
    const int device = open_device(name);
    if (device < 0) return "error port " + name + ": " + std::strerror(errno);
    ports_.push_back({parsed.s_addr, device});
    return "ok";
}

Link* Switch::link_of(std::istringstream& words) {
    std::string from, to;
    words >> from >> to;
    in_addr a{}, b{};
    if (::inet_pton(AF_INET, from.c_str(), &a) != 1 || ::inet_pton(AF_INET, to.c_str(), &b) != 1) return nullptr;
    return &links_[{a.s_addr, b.s_addr}];
}

std::string Switch::set_mode(std::istringstream& words) {
    Link* const link = link_of(words);
    std::string mode;
    words >> mode;
    if (link == nullptr || (mode != "pass" && mode != "drop" && mode != "reset"))
        return "error link: two addresses and pass, drop or reset must follow";
    link->mode = mode == "pass" ? Mode::kPass : mode == "drop" ? Mode::kDrop : Mode::kReset;
    return "ok";
}

std::string Switch::set_shape(std::istringstream& words) {
    Link* const link = link_of(words);
    std::int64_t delay = 0, jitter = 0;
    Link shape;
    words >> delay >> jitter >> shape.loss_ppm >> shape.duplicate_ppm >> shape.bytes_a_second;
    if (link == nullptr || !words) return "error shape: two addresses and five numbers must follow";
    shape.mode = link->mode;
    shape.delay = microseconds(delay);
    shape.jitter = microseconds(jitter);
    *link = shape;
    return "ok";
}

std::string Switch::obey(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "port") return add_port(words);
    if (command == "link") return set_mode(words);
    if (command == "shape") return set_shape(words);
    if (command == "clear") {
        links_.clear();
        return "ok";
    }
    if (command == "stats") {
        const auto& c = counters_;
        std::ostringstream out;
        out << "ok passed=" << c.passed << " dropped=" << c.dropped << " lost=" << c.lost << " duplicated=" << c.duplicated
            << " delayed=" << c.delayed << " reset=" << c.reset << " choked=" << c.choked;
        return out.str();
    }
    return "error " + command + ": must be port, link, shape, clear or stats";
}

/// False: the input has ended.
bool Switch::read_commands() {
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count <= 0) return count < 0 && errno == EINTR;
    input_.append(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1)) {
        std::puts(obey(input_.substr(0, end)).c_str());
        std::fflush(stdout);
    }
    return true;
}

void Switch::read_device(const Port& from) {
    static std::array<std::uint8_t, kPacketBytesMax> buffer;
    for (int turn = 0; turn < 64; ++turn) {  // then it is another port's turn
        const ssize_t count = ::read(from.device, buffer.data(), buffer.size());
        if (count <= 0) return;
        carry(from, std::span(buffer).first(static_cast<std::size_t>(count)));
    }
}

void Switch::carry(const Port& from, std::span<const std::uint8_t> packet) {
    iphdr ip;
    if (packet.size() < sizeof ip) return;
    std::memcpy(&ip, packet.data(), sizeof ip);
    if (ip.version != 4) return;  // IPv6 looks for neighbours: there are none
    const Port* to = nullptr;
    for (const Port& port : ports_) {
        if (port.address == ip.daddr) to = &port;
    }
    if (to == nullptr) return;
    const auto found = links_.find({ip.saddr, ip.daddr});
    if (found == links_.end()) {
        ++counters_.passed;
        return send(to->device, packet);
    }
    Link& link = found->second;
    if (link.mode == Mode::kDrop) {
        ++counters_.dropped;
        return;
    }
    if (link.mode == Mode::kReset) {
        const auto answer = reset_of(packet);
        if (answer) send(from.device, *answer);
        ++(answer ? counters_.reset : counters_.dropped);
        return;
    }
    if (draw(link.loss_ppm)) {
        ++counters_.lost;
        return;
    }
    if (draw(link.duplicate_ppm)) {
        ++counters_.duplicated;
        send_later(link, to->device, packet);
    }
    send_later(link, to->device, packet);
}

void Switch::send_later(Link& link, int device, std::span<const std::uint8_t> packet) {
    const Clock::time_point now = Clock::now();
    Clock::time_point due = now;
    if (link.bytes_a_second != 0) {
        due = std::max(now, link.busy_until);
        if (due - now > kQueueMax) {
            ++counters_.choked;
            return;
        }
        due += microseconds(packet.size() * kMillion / link.bytes_a_second);
        link.busy_until = due;
    }
    due += link.delay;
    if (link.jitter.count() > 0) due += microseconds(random_() % static_cast<std::uint64_t>(link.jitter.count()));
    ++counters_.passed;
    if (due <= now) return send(device, packet);
    ++counters_.delayed;
    waiting_.push({due, number_++, device, Packet(packet.begin(), packet.end())});
}

void Switch::send_what_is_due() {
    const Clock::time_point now = Clock::now();
    for (; !waiting_.empty() && waiting_.top().due <= now; waiting_.pop()) send(waiting_.top().device, waiting_.top().packet);
}

void Switch::run() {
    while (true) {
        std::vector<pollfd> polled{{STDIN_FILENO, POLLIN, 0}};
        for (const Port& port : ports_) polled.push_back({port.device, POLLIN, 0});
        timespec wait{};
        if (!waiting_.empty()) {
            const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(waiting_.top().due - Clock::now()));
            wait = {.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
        }
        if (::ppoll(polled.data(), polled.size(), waiting_.empty() ? nullptr : &wait, nullptr) < 0 && errno != EINTR) return;
        send_what_is_due();
        const std::size_t ports = polled.size() - 1;  // a command may add one, whose turn comes next time
        if (polled[0].revents != 0 && !read_commands()) return;
        for (std::size_t i = 0; i < ports; ++i) {
            if ((polled[i + 1].revents & POLLIN) != 0) read_device(ports_[i]);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    Switch(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1).run();
    return 0;
}
