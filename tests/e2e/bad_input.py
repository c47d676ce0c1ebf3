#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nonsense of every kind, against real processes: each gets a clear error that names what and where, and nothing is lost.

  tests/e2e/bad_input.py [NAME …]      all cases, or those named; --list names them
"""
import argparse, glob, os, random, shutil, socket, struct, subprocess, sys, time
from cluster import Cluster, Failure, Resp, Writers, await_true

CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


def expect_words(what, text, *words):
    missing = [w for w in words if w.lower() not in text.lower()]
    if missing:
        raise Failure(f"{what}: the message lacks {missing}: {text.strip()[-600:]!r}")


def run_to_end(cluster, *arguments, seconds=20):
    """tanistd, expected to end by itself: (exit code, standard error)."""
    done = subprocess.run([str(cluster.build / "tanistd"), *map(str, arguments)], capture_output=True, text=True, timeout=seconds, cwd=cluster.folder)
    return done.returncode, done.stderr


def fill(cluster, count=200):
    master = cluster.master()
    written = {f"key-{i}": f"value-{i}" for i in range(count)}
    with master.connect() as r:
        if any(isinstance(x, Resp.Error) for x in r.pipeline([("SET", k, v) for k, v in written.items()])):
            raise Failure("filling failed")
    return written


def serves(cluster, written):
    """The cluster takes writes, and every node has everything."""
    cluster.master()
    for node in cluster.nodes:
        cluster.verify(written, node)


@case
def unknown_config_key(build):
    with Cluster(1, build=build, extra_config='[failover]\nheartbeat_msec = 100\n') as cluster:
        code, text = run_to_end(cluster, "--config", cluster.nodes[0].config)
        expect_words("unknown key", text, "heartbeat_msec", "node1.toml:", "heartbeat_ms")
        if code != 2:
            raise Failure(f"exit code {code}, expected 2")


@case
def same_id_twice(build):
    with Cluster(3, build=build) as cluster:
        cluster.start()
        written = fill(cluster)
        twin = cluster.folder / "twin.toml"
        text = cluster.nodes[1].config.read_text().replace(str(cluster.nodes[1].data), str(cluster.folder / "twin-data"))
        for section_port in (cluster.nodes[1].client, cluster.nodes[1].http):
            text = text.replace(f":{section_port}\"", ":0\"")
        twin.write_text(text)
        code, error = run_to_end(cluster, "--config", twin)  # the peer port of node 2 is taken
        expect_words("same id", error, str(cluster.nodes[1].peer))
        if code == 0:
            raise Failure("a second node 2 started")
        serves(cluster, written)


@case
def another_cluster(build):
    with Cluster(3, build=build) as cluster, Cluster(1, build=build) as other:
        cluster.start()
        other.start()
        written = fill(cluster)
        # Node 3 is restarted with the data directory of another cluster's node of the same id.
        stray = cluster.nodes[2]
        stray.kill()
        text = stray.config.read_text().replace('name = "e2e"', 'name = "elsewhere"')
        stray.config.write_text(text)
        stray.start()
        await_true("a refusal that names both clusters", lambda: "elsewhere" in stray.log_tail(80) and "e2e" in stray.log_tail(80))
        stray.kill()
        stray.config.write_text(text.replace('name = "elsewhere"', 'name = "e2e"'))
        stray.start()
        serves(cluster, written)


@case
def data_directory_in_use(build):
    with Cluster(1, build=build) as cluster:
        cluster.start()
        node = cluster.nodes[0]
        second = cluster.folder / "second.toml"
        text = node.config.read_text()
        for port in (node.client, node.http):
            text = text.replace(f":{port}\"", ":0\"")
        second.write_text(text)
        code, error = run_to_end(cluster, "--config", second)
        expect_words("locked directory", error, str(node.data), "in use by process")
        if code != 3:
            raise Failure(f"exit code {code}, expected 3: {error[-300:]}")


@case
def oversized_key(build):
    with Cluster(1, build=build) as cluster:
        cluster.start()
        with cluster.nodes[0].connect() as r:
            reply = r.call("SET", "k" * (64 * 1024 + 1), "v")
            if not isinstance(reply, Resp.Error):
                raise Failure(f"an oversized key was answered {reply!r}")
            expect_words("oversized key", reply, "65536")
            if r.call("PING") != "PONG":
                raise Failure("the connection did not survive")
        done = cluster.tanist("put", "k" * (64 * 1024 + 1), "v", check=False)
        if done.returncode == 0:
            raise Failure("the native protocol took an oversized key")


@case
def garbage_on_every_port(build):
    rng = random.Random(7)
    with Cluster(3, build=build) as cluster:
        cluster.start()
        written = fill(cluster)
        for node in cluster.nodes:
            for port in (node.client, node.peer, node.http):
                for start in (b"", b"\x01TAN", b"\x02TAN\x03\x00\x00\x00", b"*3\r\n$3\r\n", b"GET / HTTP/1.1\r\n", b"\x01TAN" + struct.pack("<I", 0xffffffff)):
                    try:
                        with socket.create_connection((node.host, port), 5) as s:
                            s.settimeout(0.3)
                            s.sendall(start + rng.randbytes(rng.choice([3, 50, 5000])))
                            s.shutdown(socket.SHUT_WR)
                            while s.recv(65536):
                                pass
                    except OSError:
                        pass
        for node in cluster.nodes:
            if not node.running():
                raise Failure(f"node {node.id} ended")
        serves(cluster, written)


@case
def never_reads_its_replies(build):
    with Cluster(1, build=build) as cluster:
        cluster.start()
        node = cluster.nodes[0]
        with node.connect() as r:
            r.call("SET", "big", "x" * (1 << 20))
        deaf = socket.create_connection(node.address)
        deaf.settimeout(0.5)
        request = Resp.encode(("GET", "big")) * 200
        try:
            for _ in range(200):
                deaf.sendall(request)
        except OSError:
            pass  # the node stopped reading, or closed: both bound its memory
        with open(f"/proc/{node.process.pid}/status") as f:
            resident = next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) // 1024
        if resident > 1024:
            raise Failure(f"the node grew to {resident} MiB for a client that never reads")
        with node.connect() as r:
            if r.call("PING") != "PONG":
                raise Failure("other clients are not served")
        deaf.close()


@case
def master_restarted_empty(build):
    with Cluster(3, build=build) as cluster:
        cluster.start()
        written = fill(cluster)
        master = cluster.master()
        master.kill()
        shutil.rmtree(master.data)
        master.start()
        others = [n for n in cluster.nodes if n is not master]
        cluster.master(among=others)
        for node in others:
            cluster.verify(written, node)
        # The wiped node stays out, and status says why.
        def said():
            import json
            status = json.loads(cluster.tanist("--json", "status", node=others[0]).stdout)
            row = next(n for n in status["nodes"] if n["id"] == master.id)
            return row["state"] != "up" and "incarnation" in (row["why"] or "") and row
        row = cluster.in_network(lambda: await_true("status says why the wiped node stays out", said))
        print(f"   status shows: {row}")


def newest_segment(node):
    return max(glob.glob(f"{node.data}/wal/*.wal"), key=os.path.getmtime)


def damage(build, how):
    """One node's log is damaged while it is down: it must repair itself from the others or refuse, and lose nothing."""
    rng = random.Random(11)
    with Cluster(3, build=build) as cluster:
        cluster.start()
        written = fill(cluster)
        for round_number in range(3):
            node = cluster.nodes[(cluster.master().id + round_number) % 3]
            node.kill()
            path = newest_segment(node)
            how(path, rng)
            node.start()
            written.update({f"round-{round_number}-{i}": "x" for i in range(20)})
            master = cluster.master()
            with master.connect() as r:
                r.pipeline([("SET", f"round-{round_number}-{i}", "x") for i in range(20)])
            if not node.running():
                raise Failure(f"node {node.id} ended")
            serves(cluster, written)


def used_bytes(path):
    with open(path, "rb") as f:
        return len(f.read().rstrip(b"\0"))


@case
def truncated_log(build):
    def cut(path, rng):
        os.truncate(path, rng.randrange(8192, used_bytes(path)))
    damage(build, cut)


@case
def flipped_bits_in_the_log(build):
    def flip(path, rng):
        with open(path, "r+b") as f:
            for _ in range(3):
                at = rng.randrange(8192, used_bytes(path))
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ (1 << rng.randrange(8))]))
    damage(build, flip)


def rotten_state_store(build, meets_it):
    """Blocks of the store on a slave's disk cannot be read: whoever meets one ends that process once, and the next start takes a copy."""
    with Cluster(3, build=build, extra_config="[store]\nwrite_buffer_bytes = 1048576\n") as cluster:
        cluster.start()
        written = {f"big-{i}": f"{i}-" + "x" * 60_000 for i in range(200)}
        master = cluster.master()
        with master.connect(30) as r:
            for key, value in written.items():
                if r.call("SET", key, value) != "OK":
                    raise Failure(f"SET {key}")
        slave = next(n for n in cluster.nodes if n is not master)
        await_true("tables", lambda: list(slave.data.glob("store/*/*.sst")))
        slave.terminate()
        for table in slave.data.glob("store/*/*.sst"):
            with open(table, "r+b") as f:
                f.seek(table.stat().st_size // 2)
                f.write(b"\xff" * 64)
        slave.start()

        def look():
            try:
                meets_it(master, slave, written)
            except OSError:
                pass
            return not slave.running() or "is given up" in slave.log.read_text()
        await_true("the rotten block is met", look)  # or the start has met it, and gave the store up there and then
        if not slave.running():
            code = slave.process.wait(10)
            if code != 4:
                raise Failure(f"exit code {code}, expected 4")
            slave.start()
        cluster.verify(written, slave)
        if "is given up" not in slave.log.read_text():
            raise Failure("the rotten store was never given up")


def read_everything(_, slave, written):
    with slave.connect() as r:
        r.call("TANIST.READS", "stale")
        for key in written:
            r.call("GET", key)


def overwrite_everything(master, _, written):
    """So much that the slave's store merges its tables."""
    with master.connect(30) as r:
        for key in written:
            written[key] = written[key][::-1]
            if r.call("SET", key, written[key]) != "OK":
                raise Failure(f"SET {key}")


@case
def rotten_state_store_that_is_read(build):
    rotten_state_store(build, read_everything)


@case
def rotten_state_store_that_is_merged(build):
    rotten_state_store(build, overwrite_everything)


@case
def damaged_log_of_the_only_voter(build):
    with Cluster(1, build=build) as cluster:
        cluster.start()
        fill(cluster)
        node = cluster.nodes[0]
        node.terminate()
        path = newest_segment(node)
        with open(path, "r+b") as f:
            f.seek(8192 + 200)
            f.write(b"\xff" * 64)
        code, error = run_to_end(cluster, "--config", node.config)
        if code != 3:
            raise Failure(f"exit code {code}, expected 3: {error[-400:]}")
        expect_words("corruption", error, os.path.basename(path), "--cut-corrupt-log")
        node.start("--cut-corrupt-log")
        cluster.await_writes()
        node.terminate()
        node.start()
        cluster.await_writes()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--build")
    options = parser.parse_args()
    if options.list:
        print("\n".join(CASES))
        return 0
    failed = 0
    for name in options.names or CASES:
        try:
            CASES[name](options.build)
            print(f"ok   {name}", flush=True)
        except (AssertionError, Failure, subprocess.TimeoutExpired) as failure:
            failed += 1
            print(f"FAILED {name}: {failure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
