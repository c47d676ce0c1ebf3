#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Four times as much data as memory.max: every key holds its newest value, while more is written, and after kill -9; hot and cold keys
are scanned alike."""
import argparse, random, sys, urllib.request
from cluster import Cluster, Failure, await_true

MEMORY_MAX = 8 << 20
VALUE_BYTES = 1000
KEYS = 4 * MEMORY_MAX // VALUE_BYTES
BATCH = 200


def key(number):
    return f"k{number:07}"


def value(number, version):
    return (f"{number}.{version}." * (VALUE_BYTES // 4))[:VALUE_BYTES].encode()


def batches(numbers):
    return [numbers[i:i + BATCH] for i in range(0, len(numbers), BATCH)]


def write(r, numbers, versions):
    for batch in batches(numbers):
        for number in batch:
            versions[number] = versions.get(number, 0) + 1
        for reply in r.pipeline([("SET", key(n), value(n, versions[n])) for n in batch]):
            if reply != "OK":
                raise Failure(f"SET was answered {reply!r}")


def check(r, numbers, versions):
    for batch in batches(numbers):
        for number, found in zip(batch, r.pipeline([("GET", key(n)) for n in batch])):
            if found != value(number, versions[number]):
                raise Failure(f"{key(number)} is {found[:40] if found else found!r} …, expected version {versions[number]}")


def check_scan(r):
    seen, cursor = set(), b"0"
    while True:
        cursor, keys = r.call("SCAN", cursor.decode(), "COUNT", "1000")
        seen.update(k for k in keys if k.startswith(b"k0"))
        if cursor == b"0":
            break
    if len(seen) != KEYS:
        raise Failure(f"a scan met {len(seen)} keys, expected {KEYS}")


def check_metrics(node):
    """What /metrics tells of the hot set."""
    with urllib.request.urlopen(f"http://{node.host}:{node.http}/metrics", timeout=10) as reply:
        lines = [line.split() for line in reply.read().decode().splitlines() if line.startswith("tanist_hot_set_")]
    found = {name: float(number) for name, number in lines}
    told = ("entries", "bytes", "hits_total", "misses_total", "evictions_total")
    if found["tanist_hot_set_bytes_max"] != MEMORY_MAX or not all(found[f"tanist_hot_set_{name}"] > 0 for name in told):
        raise Failure(f"the hot set's metrics are {found}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    config = f"[memory]\nmax = {MEMORY_MAX}\n[store]\nblock_cache_bytes = 1048576\nwrite_buffer_bytes = 1048576\n"
    versions, everything = {}, list(range(KEYS))
    with Cluster(1, build=options.build, extra_config=config) as cluster:
        cluster.start()
        node = cluster.master()
        with node.connect(60) as r:
            write(r, everything, versions)
            check(r, everything, versions)
            for _ in range(4):  # some keys stay in use, others were not touched for long
                write(r, [random.randrange(KEYS // 10) for _ in range(2000)], versions)
                check(r, [random.randrange(KEYS) for _ in range(2000)], versions)
            check_scan(r)
        check_metrics(node)
        print(f"{KEYS} keys of {VALUE_BYTES} bytes in {MEMORY_MAX >> 20} MiB of memory: all there")
        node.kill()
        node.start()
        await_true("reads after kill -9", lambda: read_one(node))
        with node.connect(60) as r:
            random.shuffle(everything)
            check(r, everything, versions)
            check_scan(r)
        print("the same after kill -9")
    return 0


def read_one(node):
    with node.connect() as r:
        return isinstance(r.call("GET", key(0)), bytes)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
