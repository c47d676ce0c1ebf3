#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients write without pause while masters die, one after the other; nothing that was acknowledged may be missing anywhere.

  tests/e2e/failover.py [--how kill|pause|cut-off] [--rounds N] [--clients N] [--build DIR]

kill     SIGKILL; then the old master restarts, rejoins as a slave and must hold the same.
pause    SIGSTOP until another node is master, then SIGCONT: it must step down and rejoin.
cut-off  each node in a network namespace of its own (root only): the master is cut off while clients on its side keep
         writing to it; none of theirs may be acknowledged once another node may be master.
"""
import argparse, os, signal, statistics, sys, time
from cluster import Cluster, Failure, Writers, await_true

ELECTION_TIMEOUT = 1.0  # seconds; failover.election_timeout_ms at its default


def lose(cluster, how, master):
    if how == "kill":
        master.kill()
    elif how == "pause":
        master.signal(signal.SIGSTOP)
    else:
        cluster.cut_off(master)


def give_back(cluster, how, master):
    if how == "kill":
        master.start()
    elif how == "pause":
        master.signal(signal.SIGCONT)
    else:
        cluster.reconnect(master)


def one_round(cluster, how, clients, number):
    master = cluster.master()
    others = [n for n in cluster.nodes if n is not master]
    writers = Writers(cluster.nodes, clients, namespace=cluster.outside, name=f"r{number}").start()
    await_true("writes flow", lambda: writers.count() >= 50 * clients / 8)
    inside = Writers([master], 4, namespace=master.namespace, name=f"inside{number}").start() if how == "cut-off" else None
    if inside:
        await_true("writes flow inside", lambda: inside.count() >= 10)

    lost_at = time.monotonic()
    lose(cluster, how, master)
    first = await_true("a write accepted elsewhere", lambda: writers.first_ack(lost_at, master.id), 20, 0.002)
    took = first - lost_at
    count = writers.count()
    await_true("writes go on", lambda: writers.count() >= count + 20)

    if inside:
        # The old master's side may acknowledge what was in flight when the cut came, never anything after it stepped down.
        late = [t for t, _ in inside.acks if t > lost_at + 0.2]
        if late:
            raise AssertionError(f"round {number}: {len(late)} writes were acknowledged on the cut-off side, up to {max(late) - lost_at:.3f} s after the cut")
        inside.stop()
        writers.acknowledged.update(inside.acknowledged)
    give_back(cluster, how, master)
    count = writers.count()
    await_true("writes go on with the old master back", lambda: writers.count() >= count + 20)
    writers.stop()

    cluster.in_network(lambda: await_true("the old master is a slave", lambda: master.role() == "slave"))
    for node in cluster.nodes:
        cluster.verify(writers.acknowledged, node)
    outcomes = ", ".join(f"{code} {n}" for code, n in sorted(writers.outcomes.items()))
    print(f"round {number:2}: node {master.id} lost, first write elsewhere after {took * 1000:6.0f} ms, "
          f"{len(writers.acknowledged)} acknowledged writes on all {len(cluster.nodes)} nodes ({outcomes})", flush=True)
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--how", choices=("kill", "pause", "cut-off"), default="kill")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--build")
    options = parser.parse_args()
    if options.how == "cut-off" and os.geteuid() != 0:
        print("skipped: network namespaces need root")
        return 77
    with Cluster(3, build=options.build, namespaces=options.how == "cut-off") as cluster:
        cluster.start()
        times = [one_round(cluster, options.how, options.clients, i + 1) for i in range(options.rounds)]
    median = statistics.median(times) * 1000
    bound = 300 if options.how == "kill" else 3 * ELECTION_TIMEOUT * 1000
    print(f"{options.rounds} rounds: time to the first accepted write: median {median:.0f} ms, longest {max(times) * 1000:.0f} ms "
          f"(goal for the median: {bound:.0f} ms); no acknowledged write was lost")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
