#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is freed is taken again: once the log's tail in memory is full, writes cost hardly a page fault, and memory does not grow."""
import argparse, os, pathlib, sys
from cluster import Cluster, Failure

TAIL_BYTES = 64 << 20
VALUE = b"x" * 1000
BATCH = 200
KEYS = 10 * BATCH
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def write(r, mebibytes):
    batch = [("SET", f"k{n:05}", VALUE) for n in range(KEYS)]
    for number in range((mebibytes << 20) // (BATCH * len(VALUE))):
        first = number * BATCH % KEYS
        for reply in r.pipeline(batch[first:first + BATCH]):
            if reply != "OK":
                raise Failure(f"SET was answered {reply!r}")


def memory(node):
    """Pages that had to be brought in so far, and bytes of memory (proc(5))."""
    fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[7]), int(fields[21]) * PAGE_BYTES


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    options = parser.parse_args()
    with Cluster(2, build=options.build, extra_config=f"[replication]\nmemory_tail_bytes = {TAIL_BYTES}\n") as cluster:
        cluster.start()
        master = cluster.master()
        with master.connect(60) as r:
            write(r, 3 * TAIL_BYTES >> 20)
            before = [memory(node) for node in cluster.nodes]
            write(r, 4 * TAIL_BYTES >> 20)
            after = [memory(node) for node in cluster.nodes]
        written = 4 * TAIL_BYTES // PAGE_BYTES
        for node, (faults_before, bytes_before), (faults_after, bytes_after) in zip(cluster.nodes, before, after):
            faults = faults_after - faults_before
            grown = bytes_after - bytes_before
            print(f"node {node.id}: {faults} page faults for {written} pages of values, {grown >> 10} KiB more")
            if faults > written // 16 or grown > TAIL_BYTES // 4:
                raise Failure(f"node {node.id}: expected at most {written // 16} page faults, and {TAIL_BYTES // 4 >> 10} KiB more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
