#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients read and write while nemeses hurt real processes, their disks, their clocks and their network; then what each client was
told is checked by the simulator's checkers, the nodes must agree, and every acknowledged write must be there.

  tests/e2e/chaos.py [--minutes M | --seconds S] [--seed N] [--nodes 3] [--nemeses kill,disks,…] [--build DIR]

Two nemeses are at work at a time, one of the first three lines and one of the last. After each 30 seconds all is healed, and operations
must go on within a bound and every node be whole. The seed gives the order of nemeses and of each client's operations; what the
machine makes of it differs each time. What this user or machine does not allow is left out, and said; exit code 77: nothing is left.

processes  {processes}
disks      {disks}   (an ext4 of its own for each node; root, loop devices)
errors     {errors}   (a library loaded into each node)
network    {network}   (network namespaces with a switch between them; root, /dev/net/tun)

docs/testing.md says what each one does.
"""
import argparse, os, random, subprocess, sys, threading, time, traceback
import disks, network
from clients import Client, LibraryClients, Recorder, read_everywhere
from cluster import Cluster, Failure, Resp, Writers, await_true
from nemeses import DISK, LOCAL, NETWORK, RESERVE_BYTES, SHIM, NetworkLane, NodeLane

ROUND_SECONDS = 30
RESUME_SECONDS = 20  # operations go on so soon after healing
WHOLE_SECONDS = 120  # and every node is up
CONFIG = f"""[wal]
disk_reserve_bytes = {RESERVE_BYTES}
retention_bytes = 0
spare_segments = 1
stall_limit_ms = 1500
[store]
write_buffer_bytes = 4194304
block_cache_bytes = 8388608
[memory]
max = 67108864
"""
DAY_MS = 86_400_000
GROUPS = {"processes": LOCAL, "disks": DISK, "errors": SHIM, "network": NETWORK}


def possible(wanted, say):
    """Those that can be done here; the rest is named, with the reason."""
    left_out = []
    for group, why_not in ((DISK, disks.why_not), (NETWORK, network.why_not)):
        names = [n for n in wanted if n in group]
        reason = why_not() if names else None
        if reason is not None:
            say(f"left out: {', '.join(names)}: {reason}")
            left_out += names
    return [n for n in wanted if n not in left_out]


class Run:
    def __init__(self, cluster, options, names):
        self.cluster, self.options = cluster, options
        self.began = time.monotonic()
        self.recorder, self.stopping = Recorder(), threading.Event()
        self.clients = [Client(cluster, i, options.seed, self.recorder, self.stopping) for i in range(options.clients)]
        self.library = LibraryClients(cluster, options.clients, options.seed)
        self.writers = Writers(cluster.nodes, 1, namespace=cluster.outside, name="once")
        self.lanes = [NodeLane(cluster, random.Random(options.seed), [n for n in names if n not in NETWORK], self.log)]
        if cluster.network:
            self.lanes.append(NetworkLane(cluster, random.Random(options.seed + 1), [n for n in names if n in NETWORK], self.log))
        self.resumed = []

    def log(self, what):
        print(f"{time.monotonic() - self.began:7.1f} s  {what}", flush=True)

    def done(self):
        return self.recorder.done() + self.library.done()

    def hurt(self, seconds):
        deadline, errors = time.monotonic() + seconds, []

        def body(lane):
            try:
                lane.run_until(deadline)
            except BaseException as error:
                errors.append(error)
        threads = [threading.Thread(target=body, args=(lane,), daemon=True) for lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def heal(self):
        """Nothing hurts any more: operations go on within a bound, and each node becomes whole by itself."""
        if self.cluster.network:
            self.cluster.network.heal()
        began, done, library = time.monotonic(), self.done(), self.library.done()
        await_true("operations go on after the last fault", lambda: self.done() >= done + 200 and self.library.done() > library,
                   RESUME_SECONDS)
        self.resumed.append(time.monotonic() - began)
        for node in self.cluster.nodes:
            self.lanes[0].await_repair(node, WHOLE_SECONDS)
        self.lanes[0].after("healing")
        self.log(f"healed: operations went on after {self.resumed[-1]:.1f} s, all nodes are up after {time.monotonic() - began:.1f} s")

    def put_deadlines(self):
        """One key that lives for long, whatever clocks say, and one that does not (S22)."""
        with self.cluster.master().connect() as r:
            for key, time_ms in (("lives", 30 * DAY_MS), ("dies", 2000)):
                if r.call("SET", key, "1", "PX", time_ms) != "OK":
                    raise Failure(f"SET {key} PX {time_ms} was refused")

    def check_deadlines(self):
        def look():
            with self.cluster.master().connect() as r:
                return [r.call("GET", "lives"), r.call("GET", "dies")] == [b"1", None]
        self.cluster.in_network(lambda: await_true("a key that lives for 30 days is there, one of 2 s is not", look, 30))

    def go(self, seconds):
        self.cluster.in_network(self.put_deadlines)
        self.writers.start()
        for client in self.clients:
            client.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.hurt(min(ROUND_SECONDS, deadline - time.monotonic()))
            self.heal()
        self.check_deadlines()
        self.stopping.set()
        self.writers.stop()
        for client in self.clients:
            client.join(10)
        self.library.stop()
        self.verify()

    def verify(self):
        keys = read_everywhere(self.cluster, self.recorder)
        for node in self.cluster.nodes:
            self.cluster.verify(self.writers.acknowledged, node)
        print(f"nodes agree on {keys} keys; all {self.writers.count()} acknowledged writes of keys written once are on each node")
        path = self.cluster.folder / "history.tsv"
        path.write_text("\n".join(self.recorder.lines) + "\n" + self.library.history.read_text())
        self.check("--check-history", path)
        self.check("--check-sessions", self.library.sessions)

    def check(self, option, path):
        checker = self.cluster.build / "tanist_simulator"
        if not checker.exists():
            raise Failure(f"{checker.name} is not in {self.cluster.build}: build it first")
        done = subprocess.run([str(checker), option, str(path)], capture_output=True, text=True)
        print(done.stdout + done.stderr, end="")
        if done.returncode != 0:
            raise AssertionError(f"what clients were told cannot be so; it is kept in {path}")

    def print_counts(self):
        def line(counts):
            return ", ".join(f"{what} {n}" for what, n in sorted(counts.items()))
        print(f"RESP clients: {line(self.recorder.counts)}")
        print(f"library clients: {line(self.library.counts)}")
        print("faults: " + line({what: n for lane in self.lanes for what, n in lane.counts.items()}))
        if self.cluster.network:
            print(f"packets: {line(self.cluster.network.counts())}")
        if self.resumed:
            print(f"operations went on {max(self.resumed):.1f} s after healing at the latest ({len(self.resumed)} times)")


def parse():
    doc = __doc__.format(**{name: ", ".join(group) for name, group in GROUPS.items()})
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--clients", type=int, default=4, help="of each kind")
    parser.add_argument("--nemeses", help="names, or the groups above, with commas between them; default: all that can be done here")
    parser.add_argument("--without", default="", help="names or groups to leave out")
    parser.add_argument("--build")
    options = parser.parse_args()

    def names(text):
        found = []
        for name in [n for n in text.split(",") if n]:
            if name not in GROUPS and not any(name in group for group in GROUPS.values()):
                parser.error(f"{name}: must be one of {', '.join([*GROUPS, *(n for group in GROUPS.values() for n in group)])}")
            found += GROUPS.get(name, (name,))
        return found
    without = names(options.without)
    options.wanted = [n for n in names(options.nemeses or ",".join(GROUPS)) if n not in without]
    return options


def main():
    options = parse()
    names = possible(options.wanted, lambda line: print(line, flush=True))
    if not names:
        print("skipped: none of the nemeses can be done here")
        return 77
    seconds = options.seconds or (options.minutes or 1) * 60
    chosen = "" if set(names) == {n for group in GROUPS.values() for n in group} else f" --nemeses {','.join(names)}"
    replay = f"tests/e2e/chaos.py --seed {options.seed} --seconds {seconds:g} --nodes {options.nodes} --clients {options.clients}{chosen}"
    print(f"replay: {replay}", flush=True)
    with Cluster(options.nodes, build=options.build, namespaces=any(n in NETWORK for n in names), disks=any(n in DISK for n in names),
                 faults=any(n in SHIM for n in names), extra_config=CONFIG, seed=options.seed) as cluster:
        cluster.start()
        run = Run(cluster, options, names)
        try:
            run.go(seconds)
        except BaseException:
            run.stopping.set()
            run.writers.stopping.set()
            run.library.kill()
            (cluster.folder / "history.tsv").write_text("\n".join(run.recorder.lines) + "\n")
            traceback.print_exc()
            run.print_counts()
            print(f"the same order of nemeses again: {replay}", flush=True)
            raise SystemExit(1)
        run.print_counts()
    return 0


if __name__ == "__main__":
    sys.exit(main())
