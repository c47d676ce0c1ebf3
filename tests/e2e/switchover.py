#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of the client library write without pause while mastership moves by plan: no write may fail, none may be lost (S17).

  tests/e2e/switchover.py [--rounds N] [--shutdowns N] [--clients N] [--build DIR]

Each round is a `tanist switchover`, in turn to a named node and to any. Each shutdown is a SIGTERM of the master, which is
started again. Clients that speak RESP write beside; what they are told is counted.
"""
import argparse, json, statistics, subprocess, sys, threading, time
from cluster import Cluster, Failure, Writers, await_true


class LibraryWriters:
    """`tanist` processes fed with puts, each waiting for the one before; the first that fails ends its process with an error."""

    def __init__(self, cluster, count):
        seeds = ",".join(f"{n.host}:{n.client}" for n in cluster.nodes)
        command = [str(cluster.build / "tanist"), "--connect", seeds, "--timeout", "10s"]
        self.written, self.stopping = [{} for _ in range(count)], threading.Event()
        self.processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                          for _ in range(count)]
        self.answers = [0] * count
        self.threads = [threading.Thread(target=body, args=(i,), daemon=True) for i in range(count) for body in (self.feed, self.count)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def feed(self, number):
        """The pipe between us holds some puts; more than that waits."""
        stdin, written = self.processes[number].stdin, self.written[number]
        try:
            while not self.stopping.is_set():
                key, value = f"library-{number}-{len(written)}", f"v{time.monotonic_ns()}{'-' * 200}"
                stdin.write(f"put {key} {value}\n".encode())
                stdin.flush()
                written[key] = value
            stdin.close()
        except OSError:
            pass  # the process has ended, and tells why

    def count(self, number):
        for line in self.processes[number].stdout:
            self.answers[number] += line.startswith(b"version ")

    def stop(self):
        """Every put that was asked for must have been done."""
        self.stopping.set()
        for number, process in enumerate(self.processes):
            code = process.wait(60)
            complaint = process.stderr.read().decode(errors="replace")
            if code != 0:
                raise AssertionError(f"a write failed by a switchover: exit code {code}: {complaint}")
        for thread in self.threads:
            thread.join(10)
        asked = [len(written) for written in self.written]
        if asked != self.answers:
            raise AssertionError(f"puts asked {asked}, answered {self.answers}")
        return {key: value for written in self.written for key, value in written.items()}


def switch_over(cluster, number):
    master = cluster.master()
    others = [n for n in cluster.nodes if n is not master]
    target = others[number // 2 % 2] if number % 2 else None
    # Right after a change of masters, a slave may still be catching up.
    options = ["--to", target.id] if target else []
    began = time.monotonic()
    answer = await_true("a switchover", lambda: attempt(cluster, options), 20, 0.1)
    took = answer["took"]
    if target and answer["master"] != target.id:
        raise AssertionError(f"node {target.id} was asked for, {answer}")
    if answer["master"] == master.id:
        raise AssertionError(f"node {master.id} was to hand over, {answer}")
    print(f"switchover {number + 1:2}: node {master.id} to node {answer['master']}, epoch {answer['epoch']}, {took * 1000:.0f} ms "
          f"({(time.monotonic() - began - took) * 1000:.0f} ms until it could begin)", flush=True)
    return took


def attempt(cluster, options):
    began = time.monotonic()
    done = cluster.tanist("switchover", "--json", *options, check=False)
    if done.returncode == 3:
        return None  # nothing was done: refused, with the reason
    if done.returncode != 0:
        raise AssertionError(f"switchover: exit code {done.returncode}: {done.stderr.decode()}")
    return {**json.loads(done.stdout), "took": time.monotonic() - began}


def shut_down(cluster, number):
    master = cluster.master()
    began = time.monotonic()
    code = master.terminate()
    if code != 0:
        raise AssertionError(f"node {master.id} ended with exit code {code}")
    took = time.monotonic() - began
    successor = cluster.master([n for n in cluster.nodes if n is not master])
    print(f"shutdown   {number + 1:2}: node {master.id} ended after {took * 1000:.0f} ms, node {successor.id} is master", flush=True)
    master.start()
    await_true("the old master is a slave", lambda: master.role() == "slave")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--shutdowns", type=int, default=4)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--build")
    options = parser.parse_args()
    with Cluster(3, build=options.build) as cluster:
        cluster.start()
        writers, resp = LibraryWriters(cluster, options.clients).start(), Writers(cluster.nodes, 2, name="resp").start()
        await_true("writes flow", lambda: resp.count() >= 50)
        times = [switch_over(cluster, i) for i in range(options.rounds)]
        for i in range(options.shutdowns):
            shut_down(cluster, i)
        resp.stop()
        acknowledged = writers.stop()
        for node in cluster.nodes:
            cluster.verify({**acknowledged, **resp.acknowledged}, node)
    outcomes = ", ".join(f"{code} {n}" for code, n in sorted(resp.outcomes.items()))
    print(f"{options.rounds} switchovers: median {statistics.median(times) * 1000:.0f} ms, longest {max(times) * 1000:.0f} ms; "
          f"{options.shutdowns} shutdowns; all {len(acknowledged)} writes of the library were done, and are on every node; "
          f"{len(resp.acknowledged)} RESP writes ({outcomes})")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
