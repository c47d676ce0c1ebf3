#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fsynced end of one node's log is destroyed while it is down, and it comes back with only that peer which had missed the last
writes, while the node that has them stays down. The damaged node knows from its mark that it held, or may have held, more: nothing
may be acknowledged without what had been, and when the third node returns, the damaged one repairs itself (S9).

  tests/e2e/destroyed_tail.py [--variants zeroed,cut-short,…] [--watch SECONDS] [--build DIR]

zeroed         the records of the last writes are zeros.
cut-short      the newest segment ends where they began.
flipped        a bit of each flips.
head-zeroed    they are zeros, and so are both slots of the mark.
segment-lost   the newest segment is gone.
"""
import argparse, json, sys, time
from cluster import Cluster, Failure, await_true
from damage import HEAD_BYTES, newest_segment, used_end

FAILOVER = "[failover]\nheartbeat_ms = 50\nelection_timeout_ms = 500\n"
LAST_WRITES = 40


def overwrite(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def zeroed(path, begin):
    overwrite(path, begin, bytes(used_end(path) - begin))


def cut_short(path, begin):
    with open(path, "r+b") as f:
        f.truncate(begin)


def flipped(path, begin):
    """Each record of the last writes has more than 64 bytes."""
    data = path.read_bytes()
    for at in range(begin + 32, used_end(path), 64):
        overwrite(path, at, bytes([data[at] ^ 1]))


def head_zeroed(path, begin):
    zeroed(path, begin)
    overwrite(path, 0, bytes(HEAD_BYTES))


def segment_lost(path, _):
    path.unlink()


VARIANTS = {"zeroed": zeroed, "cut-short": cut_short, "flipped": flipped, "head-zeroed": head_zeroed, "segment-lost": segment_lost}


def write(node, name, count):
    """Writes that are acknowledged one by one."""
    acknowledged = {f"{name}-{i}": f"value-{i}" for i in range(count)}
    with node.connect(20) as r:
        for key, value in acknowledged.items():
            if (reply := r.call("SET", key, value)) != "OK":
                raise Failure(f"SET {key} at node {node.id}: {reply!r}")
    return acknowledged


def state_of(cluster, node):
    """What the node says of itself."""
    done = cluster.tanist("--json", "--direct", "status", node=node, check=False, timeout=20)
    if done.returncode != 0:
        return None
    return next((n["state"] for n in json.loads(done.stdout)["nodes"] if n["id"] == node.id), None)


def watch(nodes, seconds):
    """Tries to write at each node all the time; returns the answers, which must all be refusals."""
    answers, deadline = {}, time.monotonic() + seconds
    while time.monotonic() < deadline:
        for node in nodes:
            try:
                with node.connect(1.0) as r:
                    reply = r.call("SET", "while-it-is-missing", "1")
            except (OSError, Failure) as error:
                reply = type(error).__name__
            if reply == "OK":
                raise AssertionError(f"node {node.id} took a write, while what had been acknowledged was missing")
            code = str(reply).split()[0]
            answers[code] = answers.get(code, 0) + 1
            time.sleep(0.02)
    return answers


def one_case(cluster, variant, number, seconds):
    """Damaged are the master and a slave in turn, after a kill and after an orderly stop."""
    by_master, orderly = number % 2 == 0, number % 4 < 2
    if variant == "segment-lost":  # a start after a kill begins a new segment for what was not confirmed
        write(cluster.master(), f"{number}-rolled", 20)
        for node in cluster.nodes:
            node.kill()
        for node in cluster.nodes:
            node.start()
    master = cluster.master()
    slaves = [n for n in cluster.nodes if n is not master]
    damaged, holder, absent = (master, slaves[0], slaves[1]) if by_master else (slaves[0], master, slaves[1])
    acknowledged = write(master, f"{number}-before", 10)
    await_true(f"node {absent.id} has all", lambda: is_level(cluster))
    absent.kill()
    path = newest_segment(damaged)
    begin = used_end(path)
    acknowledged |= write(master, f"{number}-last", LAST_WRITES)
    for node in (holder, damaged):
        node.terminate() if orderly and node is damaged else node.kill()
    if newest_segment(damaged) != path or used_end(path) <= begin:
        raise Failure(f"node {damaged.id}: the last writes are not where they were expected, in {path}")
    VARIANTS[variant](path, begin)

    for node in (damaged, absent):
        node.start()
    await_true("the damaged node knows", lambda: state_of(cluster, damaged) == "in_doubt")
    answers = watch((damaged, absent), seconds)
    if (state := state_of(cluster, damaged)) != "in_doubt":
        raise AssertionError(f"node {damaged.id} is {state}, expected in_doubt")

    holder.start()
    await_true("the damaged node is repaired", lambda: is_level(cluster), 60)
    write(cluster.master(), f"{number}-after", 10)
    for node in cluster.nodes:
        cluster.verify(acknowledged, node)
    what = "master" if by_master else "slave"
    print(f"{variant:13} of the {what:6}, node {damaged.id} {'stopped' if orderly else 'killed '}: {sum(answers.values())} writes refused "
          f"({', '.join(f'{code} {n}' for code, n in sorted(answers.items()))}); then repaired, {len(acknowledged)} writes on all nodes", flush=True)


def is_level(cluster):
    """All nodes are up and hold as much as the master."""
    status = cluster.status()
    return status and status["master"] and all(n["state"] == "up" and n["lag_entries"] in (0, None) for n in status["nodes"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--watch", type=float, default=2.5, help="seconds, five election timeouts by default")
    parser.add_argument("--build")
    options = parser.parse_args()
    names = options.variants.split(",")
    if unknown := [name for name in names if name not in VARIANTS]:
        parser.error(f"--variants {','.join(unknown)}: must be of {', '.join(VARIANTS)}")
    with Cluster(3, build=options.build, extra_config=FAILOVER) as cluster:
        cluster.start()
        for number, name in enumerate(names):
            one_case(cluster, name, number, options.watch)
    print(f"{len(names)} cases, no acknowledged write was lost")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
