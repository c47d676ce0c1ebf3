# SPDX-License-Identifier: Apache-2.0
"""A network of namespaces, one for each node and one for clients, with a switch in user space between them that cuts, resets, delays,
loses, duplicates, reorders and slows down packets (tools/tun_switch.cpp)."""
import ctypes, os, subprocess, threading

CLONE_NEWNET = 0x40000000


class Unable(Exception):
    """This machine, container or user does not allow what a test needs: no failure, but a reason to skip it."""


def enter_namespace(name):
    """Moves the calling thread, and the sockets that it opens from now on, into a network namespace."""
    with open(f"/run/netns/{name}") as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Unable(f"ip {' '.join(words)}: {done.stderr.strip()}")


def why_not():
    """Why there can be no such network here; None: there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not os.access("/dev/net/tun", os.W_OK):
        return "/dev/net/tun is not there"
    name = f"tn{os.getpid()}try"
    try:
        ip("netns", "add", name)
    except (Unable, OSError) as error:
        return f"network namespaces are not allowed here: {error}"
    try:
        ip("-n", name, "tuntap", "add", "eth0", "mode", "tun")
    except Unable as error:
        return f"TUN devices are not allowed here: {error}"
    finally:
        ip("netns", "delete", name)
    return None


class Network:
    """`hosts` are the nodes' addresses, in order; clients live at CLIENTS, in the namespace `outside`."""

    CLIENTS = "10.77.0.254"

    def __init__(self, prefix, count, switch, seed=1):
        if not switch.exists():
            raise Unable(f"{switch.name} is not in {switch.parent}: build it first")
        self.hosts = [f"10.77.0.{i + 1}" for i in range(count)]
        self.namespaces = [f"{prefix}n{i + 1}" for i in range(count)]
        self.outside = f"{prefix}s"
        self.lock, self.process = threading.Lock(), None
        try:
            for name in [self.outside, *self.namespaces]:
                ip("netns", "add", name)
            self.process = subprocess.Popen([str(switch), str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            for name, address in zip([self.outside, *self.namespaces], [self.CLIENTS, *self.hosts]):
                self.tell("port", name, address)
                ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
                ip("-n", name, "link", "set", "eth0", "up")
                ip("-n", name, "link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None
        for name in [self.outside, *self.namespaces]:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def tell(self, *words):
        with self.lock:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            answer = self.process.stdout.readline().strip()
        if not answer.startswith("ok"):
            raise Unable(f"the switch: {answer or 'it has ended'}")
        return answer[2:].strip()

    def all(self):
        return [*self.hosts, self.CLIENTS]

    def set(self, mode, sources, targets, both_ways=True):
        """mode is pass, drop or reset."""
        for a in sources:
            for b in targets:
                if a != b:
                    self.tell("link", a, b, mode)
                    if both_ways:
                        self.tell("link", b, a, mode)

    def cut_off(self, host, mode="drop"):
        self.set(mode, [host], [h for h in self.all() if h != host])

    def shape(self, a, b, delay_ms=0.0, jitter_ms=0.0, loss=0.0, duplicate=0.0, bytes_a_second=0):
        """One direction. Shares of one for loss and duplicate."""
        self.tell("shape", a, b, int(delay_ms * 1000), int(jitter_ms * 1000), int(loss * 1e6), int(duplicate * 1e6), int(bytes_a_second))

    def heal(self):
        self.tell("clear")

    def counts(self):
        return {name: int(n) for name, n in (word.split("=") for word in self.tell("stats").split())}
