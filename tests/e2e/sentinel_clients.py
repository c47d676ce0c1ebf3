#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""redis-py, unchanged, finds the master through Sentinel and follows it. Mastership is handed over by SENTINEL FAILOVER, asked of each node
in turn, and the master is killed with -9, under load: calls resume on the new one by themselves, and every acknowledged write is read back. A
switchover is no error for anybody: not for single calls, pipelines, transactions, nor counters, which count each call once."""
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
                    self.errors[repr(error)] = self.errors.get(repr(error), 0) + 1
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


def use(client):
    """What applications do with redis-py."""
    client.flushall()
    expect("SET NX EX", client.set("a", "1", nx=True, ex=100) and client.set("a", "2", nx=True) is None and 0 < client.ttl("a") <= 100)
    expect("SET GET KEEPTTL", client.set("a", "3", get=True, keepttl=True) == b"1" and client.ttl("a") > 0)
    expect("GETEX PERSIST", client.getex("a", persist=True) == b"3" and client.ttl("a") == -1)
    expect("counters", [client.incr("n", 5), client.decr("n"), client.incrbyfloat("f", 1.25)] == [5, 4, 1.25])
    expect("ranges", client.append("s", "hello world") == 11 and client.getrange("s", 0, 4) == b"hello" and client.setrange("s", 6, "there") == 11)
    expect("bits", client.setbit("b", 7, 1) == 0 and client.bitcount("b") == 1 and client.bitop("NOT", "c", "b") == 1 and client.get("c") == b"\xfe")
    expect("BITFIELD", client.bitfield("bf", "SAT").incrby("u4", 0, 100).get("u4", 0).execute() == [15, 15])
    expect("MSET", client.mset({f"many:{i}": i for i in range(50)}) and client.mget("many:1", "none") == [b"1", None])
    expect("SCAN", sorted(client.scan_iter("many:*", count=7)) == sorted(f"many:{i}".encode() for i in range(50)))
    expect("COPY, RENAME, TYPE", client.copy("a", "a2") and client.rename("a2", "a3") and client.type("a3") == b"string" and not client.exists("a2"))
    expect("a transaction", client.pipeline().set("t", 1).incr("t").get("t").execute() == [True, 2, b"2"])

    def doubled(pipe):
        value = int(pipe.get("t"))
        pipe.multi()
        pipe.set("t", 2 * value)
    expect("WATCH", client.transaction(doubled, "t") == [True] and client.get("t") == b"4")
    with client.pipeline() as pipe:
        pipe.watch("t")
        client.set("t", "other")
        pipe.multi()
        pipe.set("t", "mine")
        try:
            pipe.execute()
            raise Failure("a watched key has changed, and the transaction ran")
        except redis.WatchError:
            pass
    expect("compare and delete, in the place of a script", client.execute_command("TANIST.CAD", "t", "mine") == 0 and client.execute_command("TANIST.CAD", "t", "other") == 1)
    for words in (("INCR", "s"), ("LPUSH", "list", "1"), ("EVAL", "return 1", "0")):
        try:
            client.execute_command(*words)
            raise Failure(f"{words} was taken")
        except redis.ResponseError:
            pass
    info = client.info()
    expect("INFO", info["role"] == "master" and info["db0"]["keys"] == client.dbsize() and client.info("keyspace")["db0"]["expires"] == 0)
    expect("CLIENT", client.client_setname("me") and client.client_getname() in ("me", b"me") and any(c["name"] == "me" for c in client.client_list()))
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("new*")
    listener.get_message(timeout=5)
    await_true("the listener is there", lambda: client.publish("news", "hello") == 1)
    expect("a message", await_true("a message", lambda: listener.get_message(timeout=1))["data"] == b"hello")
    listener.close()


def lost_of(load, client):
    """Acknowledged, and not read back."""
    pairs = list(load.acknowledged.items())
    with client.pipeline(transaction=False) as pipe:
        for key, _ in pairs:
            pipe.get(key)
        found = pipe.execute()
    return [key for (key, value), answer in zip(pairs, found) if answer != value.encode()]


THINKS = 0.15  # seconds, after a pipeline: a connection ends where it sees a pause, not between two parts of a pipeline


class Mixed(Load):
    """What each thread does is a way of its own."""

    def body(self, number):
        way, counter = (self.pipelines, self.transactions, self.counts, self.blocks)[number], 0
        while not self.stopping.is_set():
            counter += 1
            try:
                pairs = way(counter)
                with self.lock:
                    self.acknowledged.update(pairs)
            except (redis.RedisError, Failure) as error:
                with self.lock:
                    self.errors[f"{way.__name__}: {error!r}"] = self.errors.get(f"{way.__name__}: {error!r}", 0) + 1
                time.sleep(0.01)

    def pipelines(self, counter):
        pairs = {f"pipe-{i}": f"v{counter}" for i in range(100)}
        with self.client.pipeline(transaction=False) as pipe:
            for key, value in pairs.items():
                pipe.set(key, "not this").append(key, "").set(key, value).get(key)
            answers = pipe.execute()
        expect(f"a pipeline in its order: {answers[:8]}", answers[3::4] == [value.encode() for value in pairs.values()])
        self.stopping.wait(THINKS)
        return pairs

    def transactions(self, counter):
        answers = self.client.pipeline().set("t", counter).incr("t").get("t").execute()
        expect(f"a transaction: {answers}", answers == [True, counter + 1, str(counter + 1).encode()])
        self.stopping.wait(THINKS)
        return {"t": str(counter + 1)}

    def counts(self, counter):
        counted = self.client.incr("once")
        expect(f"call {counter} was counted as {counted}", counted == counter)
        return {"once": str(counter)}

    def blocks(self, counter):
        with self.client.pipeline(transaction=False) as pipe:
            stored, held = pipe.set("w", counter).execute_command("WAIT", 1, 5000).execute()
        expect(f"WAIT 1: {held}", stored and held >= 1)
        self.stopping.wait(THINKS)
        return {"w": str(counter)}


def hand_over(cluster, sentinel, master, count):
    """SENTINEL FAILOVER works at any node's Sentinel port."""
    load, mixed = Load(master), Mixed(master)
    for i in range(count):
        asked, before, written = cluster.nodes[i % len(cluster.nodes)], sentinel.discover_master(NAME), load.count()
        port = redis.Redis(port=asked.sentinel)

        def is_done():
            try:
                return port.execute_command("SENTINEL", "FAILOVER", NAME)
            except redis.ResponseError as error:
                expect(f"node {asked.id}: SENTINEL FAILOVER: {error}", str(error).startswith(("NOGOODSLAVE", "INPROG")))  # one catches up
        await_true("a switchover", is_done)
        await_true("another master", lambda: sentinel.discover_master(NAME) != before)
        await_true("writes that resume by themselves", lambda: load.count() > written + 200)
    for each in (load, mixed):
        lost = lost_of(each.stop(), master)
        expect(f"{len(lost)} acknowledged writes are lost: {lost[:5]}", not lost)
        expect(f"a switchover is no error: {each.errors}", not each.errors)
    print(f"{count} times SENTINEL FAILOVER, asked of all nodes in turn: {load.count()} acknowledged, all there, and no error")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    parser.add_argument("--rounds", type=int, default=2, help="times that the master is killed")
    parser.add_argument("--switchovers", type=int, default=3)
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
        use(master)
        with master.pipeline(transaction=False) as pipe:
            for i in range(100):
                pipe.set(f"k{i}", i)
            expect("a pipeline", pipe.execute() == [True] * 100)
        await_true("a slave that has the pipeline's last write", lambda: slave.get("k99") == b"99")

        hand_over(cluster, sentinel, master, options.switchovers)
        while listener.get_message(timeout=0.1):  # of those switchovers
            pass
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
            lost = lost_of(load, master)
            expect(f"{len(lost)} acknowledged writes are lost: {lost[:5]}", not lost)
            print(f"round {round + 1}: master {victim.id} killed, 200 more writes after {took:.2f} s; {load.count()} acknowledged, "
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
