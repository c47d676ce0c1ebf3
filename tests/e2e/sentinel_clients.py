#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""redis-py, unchanged, finds the master through Sentinel and follows it: the master is killed with -9 under load, calls resume on the
new one by themselves, and every acknowledged write is read back from it."""
import argparse, sys, threading, time
from cluster import Cluster, Failure, await_true

try:
    import redis, redis.sentinel
except ImportError:
    print("skipped: the Python module redis is missing (Debian: python3-redis)")
    sys.exit(77)

NAME = "e2e"  # cluster.name


class Load:
    """Threads that write one key after the other through a client of redis-py; only what was answered counts."""

    def __init__(self, client, count=4):
        self.client, self.acknowledged, self.errors, self.lock, self.stopping = client, {}, {}, threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.body, args=(i,), daemon=True) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def body(self, number):
        counter = 0
        while not self.stopping.is_set():
            counter += 1
            key, value = f"load-{number}-{counter}", f"v{counter}"
            try:
                self.client.set(key, value)
                with self.lock:
                    self.acknowledged[key] = value
            except redis.RedisError as error:
                with self.lock:
                    self.errors[type(error).__name__] = self.errors.get(type(error).__name__, 0) + 1
                time.sleep(0.01)

    def count(self):
        with self.lock:
            return len(self.acknowledged)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
        return self


def expect(what, condition):
    if not condition:
        raise Failure(what)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with Cluster(3, build=options.build) as cluster:
        cluster.start()
        sentinel = redis.sentinel.Sentinel([(n.host, n.sentinel) for n in cluster.nodes], socket_timeout=1.0)
        await_true("two slaves to read from", lambda: len(sentinel.discover_slaves(NAME)) == 2)
        expect("the master's address", sentinel.discover_master(NAME) == cluster.master().address)
        try:
            sentinel.discover_master("another")
            raise Failure("a master of another name was found")
        except redis.sentinel.MasterNotFoundError:
            pass

        listener = redis.Redis(port=cluster.nodes[2].sentinel).pubsub()
        listener.subscribe("+switch-master")
        listener.get_message(timeout=5)
        master, slave = sentinel.master_for(NAME, socket_timeout=2.0), sentinel.slave_for(NAME, socket_timeout=2.0)
        with master.pipeline(transaction=False) as pipe:
            for i in range(100):
                pipe.set(f"k{i}", i)
            expect("a pipeline", pipe.execute() == [True] * 100)
        await_true("a slave that has the pipeline's last write", lambda: slave.get("k99") == b"99")

        for round in range(options.rounds):
            load = Load(master)
            await_true("some load", lambda: load.count() > 200)
            victim = cluster.master()
            killed = time.monotonic()
            victim.kill()
            before = load.count()
            await_true("writes that resume by themselves", lambda: load.count() > before + 200)
            took = time.monotonic() - killed
            load.stop()
            new = sentinel.discover_master(NAME)
            expect("another master", new != victim.address)
            pairs = list(load.acknowledged.items())
            with master.pipeline(transaction=False) as pipe:
                for key, _ in pairs:
                    pipe.get(key)
                found = pipe.execute()
            lost = [key for (key, value), answer in zip(pairs, found) if answer != value.encode()]
            expect(f"{len(lost)} acknowledged writes are lost: {lost[:5]}", not lost)
            print(f"round {round + 1}: master {victim.id} killed, 200 more writes after {took:.2f} s; {len(pairs)} acknowledged, "
                  f"all there; errors met: {load.errors}")
            if victim is not cluster.nodes[2]:
                message = await_true("+switch-master", lambda: listener.get_message(timeout=1))
                words = message["data"].decode().split()
                expect(f"+switch-master {words}", words == [NAME, *map(str, victim.address), *map(str, new)])
            victim.start()
            await_true("the killed node as a slave", lambda: victim.address in sentinel.discover_slaves(NAME))
            if victim is cluster.nodes[2]:
                listener = redis.Redis(port=victim.sentinel).pubsub()
                listener.subscribe("+switch-master")
                listener.get_message(timeout=5)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
