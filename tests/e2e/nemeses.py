# SPDX-License-Identifier: Apache-2.0
"""What hurts a cluster of real processes: one method a nemesis, each of which heals what it did before it returns. NODE_LANE holds
those that hurt processes, disks and clocks, NETWORK_LANE those that hurt the network; one of each is at work at a time."""
import signal, subprocess, threading, time
from cluster import Failure, Resp, await_true
from damage import Damage, wipe_folder
from disks import MIB, Faults

RESERVE_BYTES = 64 * MIB  # wal.disk_reserve_bytes
STORAGE_FAULT = 4  # the exit code

LOCAL = ("kill", "pause", "restart", "kill-all", "switchover", "store-lost", "wipe", "grow",
         "flip", "tail", "cut-tail", "lost-tail", "slot", "vote", "votes", "table")
DISK = ("power-cut", "power-cut-majority", "power-cut-all", "disk-dies", "disk-full", "disk-end", "stall")
SHIM = ("sync-error", "write-error", "no-space", "start-error", "read-error", "clock", "clocks")
NETWORK = ("cut-off", "halves", "one-way", "bridge", "flap", "reset-off", "reset-link", "slow", "lossy", "twice", "narrow", "mix")


class Lane:
    """Draws nemeses like cards from a deck: each once, then all again."""

    def __init__(self, cluster, rng, names, log):
        self.cluster, self.random, self.log, self.counts = cluster, rng, log, {}
        self.names, self.deck = sorted(names), []
        self.lock = threading.Lock()

    def count(self, what, by=1):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + by

    def lasts(self, low=0.3, high=3.0):
        time.sleep(self.random.uniform(low, high))

    def run_until(self, deadline):
        while self.names and time.monotonic() < deadline:
            if not self.deck:
                self.deck = self.random.sample(self.names, len(self.names))
            name = self.deck.pop()
            self.log(name)
            getattr(self, name.replace("-", "_"))()
            self.count(name)
            self.after(name)
            time.sleep(self.random.uniform(0, 1.0))

    def after(self, name):
        pass


class NodeLane(Damage, Lane):
    """Processes, disks, clocks. `target` is the master more often than not."""

    def target(self):
        choice, other = self.random.random(), self.random.choice(self.cluster.nodes)
        if choice < 0.6:
            for node in self.cluster.nodes:
                if node.running() and self.cluster.in_network(node.role) == "master":
                    return node
        return other

    def after(self, name):
        for node in self.cluster.nodes:
            if not node.running():
                raise AssertionError(f"node {node.id} has ended by itself with code {node.process.returncode}, around {name}")

    def minority(self):
        return (len(self.cluster.nodes) - 1) // 2

    # -- processes ----------------------------------------------------------------------------------------------------------------
    def kill(self):
        node = self.target()
        node.kill()
        self.lasts()
        node.start()

    def pause(self):
        node = self.target()
        node.signal(signal.SIGSTOP)
        self.lasts()
        node.signal(signal.SIGCONT)

    def restart(self):
        node = self.target()
        code = node.terminate(30)
        if code not in (0, -signal.SIGTERM):  # the latter: it had just been started, and did not listen to signals yet
            raise AssertionError(f"node {node.id} ended with code {code} at SIGTERM")
        self.lasts(0, 1)
        node.start()

    def kill_all(self):
        for node in self.cluster.nodes:
            node.signal(signal.SIGKILL)
        for node in self.cluster.nodes:
            node.process.wait()
        self.lasts(0, 0.5)
        for node in self.cluster.nodes:
            node.start()

    def switchover(self):
        done = self.cluster.tanist("--timeout", "5s", "switchover", check=False, timeout=30)
        if done.returncode not in (0, 3, 5):
            raise AssertionError(f"switchover: exit code {done.returncode}: {done.stderr.decode()}")
        self.count(f"switchover: {'done' if done.returncode == 0 else 'refused or unknown'}")

    # -- power ----------------------------------------------------------------------------------------------------------------------
    def lose_power(self, nodes):
        """Of all of them at one moment, as nearly as can be: stopped first, or in the middle of whatever they do."""
        if self.random.random() < 0.5:
            for node in nodes:
                node.signal(signal.SIGSTOP)
        cuts = [threading.Thread(target=node.disk.cut_power) for node in nodes]
        for cut in cuts:
            cut.start()
        for cut in cuts:
            cut.join()
        for node in nodes:
            node.signal(signal.SIGKILL)
        for node in nodes:
            node.process.wait()
        self.replug(nodes)
        self.lasts(0, 1.0)
        for node in nodes:
            node.start()

    def replug(self, nodes):
        for node in nodes:
            await_true(f"the disk of node {node.id} is let go", lambda: self.is_done(node.disk.unmount), 30)
            node.disk.mount()

    @staticmethod
    def is_done(action):
        try:
            action()
            return True
        except Exception as error:
            raise Failure(str(error)) from error

    def power_cut(self):
        self.lose_power([self.target()])

    def power_cut_majority(self):
        count = len(self.cluster.nodes) // 2 + 1
        self.lose_power(self.random.sample(self.cluster.nodes, count))

    def power_cut_all(self):
        self.lose_power(self.cluster.nodes)

    # -- disks ------------------------------------------------------------------------------------------------------------------------
    def await_storage_fault(self, node, seconds=40):
        """The node ends by itself, and says why (S4). Code 3 is right where it had just been started and could not read its folder."""
        await_true(f"node {node.id} ends", lambda: not node.running(), seconds)
        said = node.log_tail(3)
        while_starting = said.splitlines()[-1:] and said.splitlines()[-1].startswith("tanistd: ")
        if node.process.returncode not in ((3, STORAGE_FAULT) if while_starting else (STORAGE_FAULT,)):
            raise AssertionError(f"node {node.id} ended with code {node.process.returncode} when its disk failed:\n{said}")
        if "stopping exit_code=4 reason=" not in said and not while_starting:
            raise AssertionError(f"node {node.id} did not say why it ended:\n{node.log_tail()}")

    def disk_dies(self):
        """Under a running process: what reaches it are errors."""
        node = self.target()
        node.disk.cut_power()
        self.await_storage_fault(node)
        self.replug([node])
        node.start()

    def failing(self, kinds, error=5):
        node = self.target()
        node.faults.fail(kinds, error)
        self.await_storage_fault(node)
        node.faults.stop_failing()
        node.start()

    def sync_error(self):
        self.failing(Faults.SYNCS)

    def write_error(self):
        self.failing(Faults.WRITES)

    def no_space(self):
        """A file system that is full although it said that it had room."""
        self.failing(Faults.WRITES, 28)

    def start_error(self):
        """The disk is bad already when the process starts."""
        node = self.target()
        node.kill()
        node.faults.fail(Faults.WRITES | Faults.SYNCS)
        node.start()
        self.await_storage_fault(node)
        if node.process.returncode != STORAGE_FAULT:
            raise AssertionError(f"node {node.id} ended with code {node.process.returncode}: a write that fails is a storage fault")
        node.faults.stop_failing()
        node.start()

    def read_error(self):
        """What is in memory goes on being served; who meets the bad disk ends, and gives its store up at the next start."""
        node = self.target()
        node.faults.fail(Faults.READS)
        self.lasts()
        node.faults.stop_failing()
        if self.lives_on(node):
            return
        self.await_storage_fault(node)
        self.count("read-error: met")
        node.start()

    def lives_on(self, node, seconds=1.0):
        """Whether it does not end by what a thread of it met a moment ago."""
        try:
            await_true(f"node {node.id} ends", lambda: not node.running(), seconds)
        except Failure:
            return True
        return False

    def disk_full(self):
        """Less than the reserve is left: a master refuses writes and says so; any node can be started again."""
        node = self.target()
        node.disk.fill(RESERVE_BYTES - MIB)
        refused = self.cluster.in_network(lambda: self.is_refused(node))
        if refused:
            self.count("disk-full: refused")
        if self.random.random() < 0.5:
            node.kill()
            node.start()
            self.cluster.in_network(lambda: await_true(f"node {node.id} starts on a full disk", node.role, 40))
        node.disk.make_room()

    def is_refused(self, node, seconds=3.0):
        """Whether the node, being master, says that its disk is full."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and node.running():
            try:
                with node.connect(2.0) as r:
                    reply = r.call("SET", "disk-probe", "1")
                    if isinstance(reply, Resp.Error) and reply.startswith("TRYAGAIN") and "disk" in reply:
                        return True
                    if isinstance(reply, Resp.Error) and reply.startswith("READONLY"):
                        return False
            except (OSError, Failure):
                pass
            time.sleep(0.05)
        return False

    def disk_end(self):
        """Not a byte is left: the node may end, but only with a clear word; with room again it starts."""
        node = self.target()
        node.disk.fill(0)
        self.lasts(1, 4)
        if node.running() and self.random.random() < 0.5:
            node.kill()
            node.start()
            self.lasts(0.5, 2)
        if not node.running():
            if node.process.returncode not in (3, STORAGE_FAULT, -signal.SIGKILL):
                raise AssertionError(f"node {node.id} ended with code {node.process.returncode} on a full disk:\n{node.log_tail()}")
            self.count(f"disk-end: code {node.process.returncode}")
        node.disk.make_room()
        if not node.running():
            node.start()

    def stall(self):
        """The disk takes nothing for a while, then goes on."""
        node = self.target()
        node.disk.freeze()
        try:
            self.lasts(0.3, 5)
        finally:
            node.disk.thaw()

    # -- clocks -----------------------------------------------------------------------------------------------------------------------
    def jump(self, node):
        node.faults.set_clock(self.random.choice((-1, 1)) * 10 ** self.random.uniform(-1, 5))

    def clock(self):
        self.jump(self.target())

    def clocks(self):
        for node in self.cluster.nodes:
            self.jump(node)

    # -- state ------------------------------------------------------------------------------------------------------------------------
    def store_lost(self):
        node = self.target()
        node.kill()
        wipe_folder(node.data / "store")
        node.start()
        self.await_repair(node)

    def grow(self):
        """A slave is away while so much is written that the log which it needs is recycled: it comes back by a full copy."""
        node = self.target()
        node.kill()
        written = self.cluster.in_network(lambda: self.write_much(node, 200))
        self.count("grow: MiB written", written)
        copies = node.log.read_text(errors="replace").count("copy")
        node.start()
        self.await_repair(node, 120)
        if node.log.read_text(errors="replace").count("copy") > copies:
            self.count("grow: full copies")

    def write_much(self, without, count):
        others = [n for n in self.cluster.nodes if n is not without]
        written, value, deadline = 0, b"x" * MIB, time.monotonic() + 60
        while written < count and time.monotonic() < deadline:
            node = self.random.choice(others)
            try:
                with node.connect(10.0) as r:
                    while written < count and r.call("SET", f"large-{written % 24}", value) == "OK":
                        written += 1
            except (OSError, Failure):
                pass
            time.sleep(0.02)
        return written


class NetworkLane(Lane):
    """Each nemesis chooses links, hurts them, waits, and heals all."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.network = self.cluster.network

    def heal_after(self, low=0.3, high=3.0):
        self.lasts(low, high)
        self.network.heal()

    def host(self):
        return self.random.choice(self.network.hosts)

    def sides(self):
        """All nodes in two sides; clients are on one of them, or see both."""
        hosts = self.random.sample(self.network.hosts, len(self.network.hosts))
        at = self.random.randrange(1, len(hosts))
        one, other = hosts[:at], hosts[at:]
        if self.random.random() < 0.5:
            self.random.choice((one, other)).append(self.network.CLIENTS)
        return one, other

    def cut_off(self):
        self.network.cut_off(self.host())
        self.heal_after()

    def reset_off(self):
        self.network.cut_off(self.host(), "reset")
        self.heal_after()

    def reset_link(self):
        a, b = self.random.sample(self.network.hosts, 2)
        self.network.set("reset", [a], [b], both_ways=self.random.random() < 0.5)
        self.heal_after()

    def halves(self):
        self.network.set(self.random.choice(("drop", "reset")), *self.sides())
        self.heal_after()

    def one_way(self):
        for _ in range(self.random.randrange(1, 4)):
            a, b = self.random.sample(self.network.hosts, 2)
            self.network.set("drop", [a], [b], both_ways=False)
        self.heal_after()

    def bridge(self):
        """But for one node, which both sides see, none sees the other side."""
        _, *rest = self.random.sample(self.network.hosts, len(self.network.hosts))
        at = self.random.randrange(1, len(rest))
        self.network.set("drop", rest[:at], rest[at:])
        self.heal_after()

    def flap(self):
        one, other = self.sides()
        mode = self.random.choice(("drop", "reset"))
        for _ in range(self.random.randrange(3, 12)):
            self.network.set(mode, one, other)
            self.lasts(0.02, 0.4)
            self.network.set("pass", one, other)
            self.lasts(0.02, 0.4)
        self.network.heal()

    def shape_all(self, low, high, **what):
        """Each direction of each link draws for itself, within the ranges."""
        hosts = self.network.all()
        for a in hosts:
            for b in hosts:
                if a != b:
                    self.network.shape(a, b, **{name: self.random.uniform(*bounds) for name, bounds in what.items()})
        self.heal_after(low, high)

    def slow(self):
        self.shape_all(1, 5, delay_ms=(0, 150), jitter_ms=(0, 30))

    def lossy(self):
        self.shape_all(1, 5, loss=(0.005, 0.15))

    def twice(self):
        self.shape_all(1, 5, jitter_ms=(0, 20), duplicate=(0.05, 0.5))

    def narrow(self):
        self.shape_all(1, 5, bytes_a_second=(50_000, 2_000_000))

    def mix(self):
        self.shape_all(1, 5, delay_ms=(0, 40), jitter_ms=(0, 40), loss=(0, 0.05), duplicate=(0, 0.1), bytes_a_second=(200_000, 5_000_000))
