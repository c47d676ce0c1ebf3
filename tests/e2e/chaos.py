#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients read and write a few keys at the strictest levels while nemeses hurt real processes; then what each client was told is
checked for linearizability by the simulator's checker, and the nodes must agree.

  tests/e2e/chaos.py [--minutes M | --seconds S] [--seed N] [--nodes 3] [--clients 8] [--nemeses kill,pause,…] [--build DIR]

kill      SIGKILL of a node, the master more often than not; restarted after a while.
pause     SIGSTOP, then SIGCONT.
cut-off   all packets of a node are dropped in silence (needs root: each node gets a network namespace).
halves    the nodes are parted into two sides that do not see each other (root).
bridge    the same, but for one node that both sides see (root).
restart   SIGTERM, then a start.
all       every node is killed at once, and started again.
flip      a node is stopped, a bit of its log's newest segment flips, it is started again: never on two nodes at a time.
tail      a node is stopped, and the end of what its log's newest segment holds is zeroed; it is started again.

The seed gives the order of nemeses and of each client's operations; what the machine makes of it differs each time.
"""
import argparse, os, random, signal, subprocess, sys, threading, time
from cluster import Cluster, Failure, Resp, await_true, enter_namespace

KEYS = [f"k{i}" for i in range(4)] + ["c0", "c1"]
QUIET = ("READONLY", "NOQUORUM", "TRYAGAIN")  # by contract: nothing was and nothing will be executed
HEAD_BYTES = 8192  # of a segment: its two slots


class Recorder:
    """What was asked and answered, as lines for `tanist_simulator --check-history`."""

    def __init__(self):
        self.lock, self.lines, self.counts = threading.Lock(), [], {}

    @staticmethod
    def field(value):
        return "-" if value is None else "=" + value

    def add(self, key, kind, begin, end, expected=None, value=None, result=None, by=0, succeeded=False):
        line = "\t".join([key, kind, str(begin), "-" if end is None else str(end), self.field(expected), self.field(value),
                          self.field(result), str(by), "1" if succeeded else "0"])
        with self.lock:
            self.lines.append(line)

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def done(self):
        with self.lock:
            return self.counts.get("done", 0)


class Client(threading.Thread):
    """One operation at a time, at some node; an error that promises nothing leaves its outcome unknown."""

    def __init__(self, cluster, number, seed, recorder, stopping):
        super().__init__(daemon=True)
        self.cluster, self.number, self.recorder, self.stopping = cluster, number, recorder, stopping
        self.random, self.connection, self.node, self.written = random.Random(seed * 1000 + number), None, None, 0
        self.last_seen = {}

    def run(self):
        if self.cluster.namespaces:
            enter_namespace(self.cluster.switch)
        while not self.stopping.is_set():
            self.one()

    def connect(self):
        self.node = self.random.choice(self.cluster.nodes)
        self.connection = Resp(self.node.address, timeout=3.0)
        if self.connection.call("TANIST.READS", "linearizable") != "OK":
            raise ConnectionError("TANIST.READS")

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def draw(self):
        """Returns (words, key, kind, fields) of an operation."""
        key = self.random.choice(KEYS)
        if self.random.random() < 0.4:
            return ("GET", key), key, "read", {}
        if key.startswith("c"):
            return ("INCR", key), key, "increment", {"by": 1}
        self.written += 1
        value = f"{self.number}.{self.written}"
        choice = self.random.random()
        if choice < 0.5:
            return ("SET", key, value), key, "write", {"value": value}
        if choice < 0.6:
            return ("DEL", key), key, "write", {}
        if choice < 0.75:
            return ("SET", key, value, "NX"), key, "compare", {"value": value}
        expected = self.last_seen.get(key) or "nothing"
        return ("TANIST.CAS", key, expected, value), key, "compare", {"expected": expected, "value": value}

    def one(self):
        try:
            if self.connection is None:
                self.connect()
        except (OSError, Failure):
            self.drop()
            self.recorder.count("not connected")
            self.stopping.wait(0.02)
            return
        words, key, kind, fields = self.draw()
        begin = time.monotonic_ns()
        try:
            reply = self.connection.call(*words)
        except (OSError, Failure, ValueError):
            self.drop()
            self.recorder.count("no answer")
            if kind != "read":
                self.recorder.add(key, kind, begin, None, **fields)
            return
        end = time.monotonic_ns()
        if isinstance(reply, Resp.Error):
            self.refused(reply.split()[0], key, kind, fields, begin)
            return
        self.recorder.count("done")
        if kind == "read":
            text = None if reply is None else reply.decode()
            self.last_seen[key] = text
            self.recorder.add(key, kind, begin, end, result=text)
        elif kind == "increment":
            self.recorder.add(key, kind, begin, end, result=str(reply), **fields)
        else:
            self.recorder.add(key, kind, begin, end, succeeded=reply in ("OK", 1), **fields)

    def refused(self, code, key, kind, fields, begin):
        self.recorder.count(code)
        if code not in QUIET and kind != "read":
            self.recorder.add(key, kind, begin, None, **fields)
        self.drop()
        self.stopping.wait(0.01)


# -- nemeses: each a generator-like pair, hurt and heal ----------------------------------------------------------------------------------


def newest_segment(node):
    segments = sorted((node.data / "wal").glob("*.wal"))
    if not segments:
        raise Failure(f"node {node.id} has no segment")
    return segments[-1]


def used_end(path):
    """The offset behind the last byte that is not zero."""
    data = path.read_bytes()
    return len(data.rstrip(b"\0"))


def flip(node, rng):
    path = newest_segment(node)
    end = used_end(path)
    if end <= HEAD_BYTES:
        return
    at = rng.randrange(HEAD_BYTES, end)
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ (1 << rng.randrange(8))]))


def zero_tail(node, rng):
    path = newest_segment(node)
    end = used_end(path)
    if end <= HEAD_BYTES:
        return
    begin = rng.randrange(max(HEAD_BYTES, end - 2000), end)
    with open(path, "r+b") as f:
        f.seek(begin)
        f.write(bytes(end - begin))


class Nemeses:
    def __init__(self, cluster, rng, log):
        self.cluster, self.random, self.log, self.counts = cluster, rng, log, {}

    def target(self):
        """The master more often than not."""
        if self.random.random() < 0.6:
            for node in self.cluster.nodes:
                if node.running() and self.cluster.in_network(node.role) == "master":
                    return node
        return self.random.choice(self.cluster.nodes)

    def lasts(self, low=0.3, high=3.0):
        time.sleep(self.random.uniform(low, high))

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
        node.terminate()
        self.lasts(0, 1)
        node.start()

    def all(self):
        for node in self.cluster.nodes:
            node.signal(signal.SIGKILL)
        for node in self.cluster.nodes:
            node.process.wait()
        self.lasts(0, 0.5)
        for node in self.cluster.nodes:
            node.start()

    def cut_off(self):
        node = self.target()
        self.cluster.cut_off(node)
        self.lasts()
        self.cluster.reconnect(node)

    def sides(self):
        nodes = self.random.sample(self.cluster.nodes, len(self.cluster.nodes))
        at = self.random.randrange(1, len(nodes))
        return nodes[:at], nodes[at:]

    def part(self, one, other):
        for a in one:
            for b in other:
                self.cluster.block(a, b)

    def halves(self):
        self.part(*self.sides())
        self.lasts()
        self.cluster.unblock()

    def bridge(self):
        bridge, *rest = self.random.sample(self.cluster.nodes, len(self.cluster.nodes))
        self.part(rest[:1], rest[1:])
        self.lasts()
        self.cluster.unblock()

    def damage(self, how):
        node = self.target()
        node.kill()
        how(node, self.random)
        node.start()
        # One at a time: what a majority has lost is lost (S9).
        self.cluster.in_network(lambda: await_true(f"node {node.id} is repaired", lambda: self.is_healthy(node), 60))

    def is_healthy(self, node):
        status = self.cluster.status()
        return status and any(n["id"] == node.id and n["state"] == "up" for n in status["nodes"])

    def flip(self):
        self.damage(flip)

    def tail(self):
        self.damage(zero_tail)

    def run_until(self, deadline, names):
        while time.monotonic() < deadline:
            name = self.random.choice(names)
            self.log(name)
            getattr(self, name.replace("-", "_"))()
            self.counts[name] = self.counts.get(name, 0) + 1
            time.sleep(self.random.uniform(0, 1.5))


LOCAL = ("kill", "pause", "restart", "all", "flip", "tail")
NETWORK = ("cut-off", "halves", "bridge")


def verify(recorder, cluster, options):
    path = cluster.folder / "history.tsv"
    path.write_text("\n".join(recorder.lines) + "\n")
    checker = cluster.build / "tanist_simulator"
    if not checker.exists():
        raise Failure(f"tanist_simulator is not in {cluster.build}: build it first")
    done = subprocess.run([str(checker), "--check-history", str(path)], capture_output=True, text=True)
    print(done.stdout + done.stderr, end="")
    if done.returncode != 0:
        raise AssertionError(f"the history is not linearizable; it is kept in {path} (seed {options.seed})")


def agree(cluster):
    """All nodes hold the same."""
    def contents():
        found = []
        for node in cluster.nodes:
            with node.connect() as r:
                if r.call("TANIST.READS", "linearizable") != "OK":
                    return None
                values = r.pipeline([("GET", k) for k in KEYS])
                if any(isinstance(v, Resp.Error) for v in values):
                    return None
                found.append(values)
        return found
    found = cluster.in_network(lambda: await_true("all nodes answer", contents, 60))
    if any(values != found[0] for values in found):
        raise AssertionError(f"nodes disagree: {found}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--nemeses", help=f"of {', '.join(LOCAL + NETWORK)}; default: all that this user may")
    parser.add_argument("--build")
    options = parser.parse_args()
    root = os.geteuid() == 0
    allowed = LOCAL + (NETWORK if root else ())
    names = options.nemeses.split(",") if options.nemeses else list(allowed)
    for name in names:
        if name not in LOCAL + NETWORK:
            parser.error(f"--nemeses {name}: must be of {', '.join(LOCAL + NETWORK)}")
        if name not in allowed:
            parser.error(f"--nemeses {name}: needs root, for network namespaces")
    seconds = options.seconds or (options.minutes or 1) * 60
    print(f"replay: tests/e2e/chaos.py --seed {options.seed} --seconds {seconds:g} --nemeses {','.join(names)}", flush=True)
    began = time.monotonic()
    with Cluster(options.nodes, build=options.build, namespaces=any(n in NETWORK for n in names)) as cluster:
        cluster.start()
        recorder, stopping = Recorder(), threading.Event()
        clients = [Client(cluster, i, options.seed, recorder, stopping) for i in range(options.clients)]
        for client in clients:
            client.start()
        nemeses = Nemeses(cluster, random.Random(options.seed), lambda name: print(f"{time.monotonic() - began:7.1f} s  {name}", flush=True))
        nemeses.run_until(time.monotonic() + seconds, names)
        done = recorder.done()
        await_true("operations go on after the last fault", lambda: recorder.done() >= done + 200, 60)
        stopping.set()
        for client in clients:
            client.join(10)
        ended = [n.id for n in cluster.nodes if not n.running()]
        if ended:
            raise AssertionError(f"nodes {ended} have ended by themselves")
        agree(cluster)
        counts = ", ".join(f"{what} {n}" for what, n in sorted(recorder.counts.items()))
        print(f"{counts}\nfaults: " + ", ".join(f"{what} {n}" for what, n in sorted(nemeses.counts.items())))
        verify(recorder, cluster, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
