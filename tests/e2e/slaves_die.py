#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both slaves die: reads go on at the node that was master; writes in flight end as "outcome unknown", later ones as "no quorum",
within twice the election timeout; a slave returns, and writes go on."""
import argparse, sys, threading, time
from cluster import Cluster, Failure, Resp, await_true

ELECTION_TIMEOUT = 1.0


def expect(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r}, expected {wanted!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    options = parser.parse_args()
    with Cluster(3, build=options.build) as cluster:
        cluster.start()
        master = cluster.master()
        slaves = [n for n in cluster.nodes if n is not master]
        with master.connect(20) as r:
            expect("put", r.call("SET", "before", "1"), "OK")
            for slave in slaves:
                slave.kill()
            started = time.monotonic()
            reply = r.call("SET", "in-flight", "1")
            took = time.monotonic() - started
            print(f"write in flight: {reply!r} after {took:.2f} s")
            if not (isinstance(reply, Resp.Error) and reply.split()[0] == "UNKNOWN"):
                raise Failure(f"the write in flight was answered {reply!r}, expected UNKNOWN")
            if took > 2 * ELECTION_TIMEOUT + 0.5:
                raise Failure(f"the answer took {took:.2f} s, twice the election timeout is {2 * ELECTION_TIMEOUT} s")

        def refused():
            with master.connect(5) as again:
                reply = again.call("SET", "later", "1")
                return isinstance(reply, Resp.Error) and reply.split()[0] == "NOQUORUM" and reply
        print(f"later write: {await_true('a clear refusal', refused, 5)!r}")
        with master.connect() as r:
            for level in ("stale", "session"):
                expect("level", r.call("TANIST.READS", level), "OK")
                expect(f"read at level {level}", r.call("GET", "before"), b"1")
            print("reads go on at levels stale and session")
        got = cluster.tanist("get", "before", node=master)
        expect("read through the client library", got.stdout.strip(), b"1")

        slaves[0].start()
        back = cluster.master(among=[master, slaves[0]])
        with back.connect() as r:
            expect("write after a slave returned", r.call("SET", "after", "2"), "OK")
            expect("refused writes never happen", r.call("GET", "later"), None)
        print(f"a slave returned: node {back.id} takes writes again")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
