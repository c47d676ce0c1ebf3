#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole cluster under passwords: clients of both protocols, the terminal program, users that outlive a failover, redis-py with a name and
a password through Sentinel, and a node with another peer password, which nobody talks to."""
import argparse, json, os, subprocess, sys
from cluster import Cluster, Failure, Resp, await_true

SECRET, PEER_SECRET = "correct horse", "battery staple"


def expect(what, condition):
    if not condition:
        raise Failure(what)


def connect(node, *credentials):
    r = node.connect()
    if credentials:
        answer = r.call("AUTH", *credentials)
        expect(f"AUTH at node {node.id}: {answer}", answer == "OK")
    return r


def find_master(cluster, *credentials):
    def look():
        for node in cluster.nodes:
            if not node.running():
                continue
            with node.connect() as r:
                if r.call("AUTH", *credentials) == "OK" and r.call("SET", "probe", "1") == "OK":
                    return node
        return None
    return await_true("a master that takes writes", look)


class Cli:
    def __init__(self, cluster):
        self.program = str(cluster.build / "tanist")
        self.seeds = ",".join(f"{n.host}:{n.client}" for n in cluster.nodes)

    def run(self, *words, **environment):
        ran = subprocess.run([self.program, "--connect", self.seeds, *words], capture_output=True, text=True, timeout=30,
                             env={**os.environ, **environment}, stdin=subprocess.DEVNULL, start_new_session=True)
        return ran.returncode, ran.stdout, ran.stderr


def check_redis_py(cluster):
    try:
        import redis, redis.sentinel
    except ImportError:
        print("without redis-py: the Python module is missing (Debian: python3-redis)")
        return
    who = {"username": "app", "password": "pw"}
    sentinel = redis.sentinel.Sentinel([(n.host, n.sentinel) for n in cluster.nodes], sentinel_kwargs={**who, "socket_timeout": 1.0},
                                       socket_timeout=2.0, **who)
    master = sentinel.master_for("e2e")
    await_true("a write through Sentinel", lambda: master.set("app:1", "one"))
    expect("a read", master.get("app:1") == b"one")
    try:
        master.get("other")
        raise Failure("a key that the user may not read was read")
    except redis.exceptions.NoPermissionError:
        pass
    try:
        redis.sentinel.Sentinel([(n.host, n.sentinel) for n in cluster.nodes]).discover_master("e2e")
        raise Failure("a Sentinel answered somebody without a password")
    except redis.exceptions.RedisError:
        pass


def check_rewrite(build):
    """What CONFIG SET has changed, a password of any bytes among it, is what a restart reads after CONFIG REWRITE."""
    binary = b"\x00\xff\r\n\"#"
    settings = {"maxmemory": b"8388608", "notify-keyspace-events": b"gKE", "slowlog-log-slower-than": b"-1", "timeout": b"77"}
    with Cluster(1, build=build) as cluster:
        node = cluster.nodes[0]
        node.write_config("master", '[security]\nrequirepass = "plain"\n')
        node.start()
        find_master(cluster, "plain")
        with connect(node, "plain") as r:
            expect("ACL SETUSER", r.call("ACL", "SETUSER", "app", "on", b">" + binary, "+ping") == "OK")
            expect("CONFIG SET requirepass", r.call("CONFIG", "SET", "requirepass", binary) == "OK")
            for name, value in settings.items():
                expect(f"CONFIG SET {name}", r.call("CONFIG", "SET", name, value) == "OK")
            expect("CONFIG REWRITE", r.call("CONFIG", "REWRITE") == "OK")
        for credentials in ((binary,), ("app", binary)):
            connect(node, *credentials).close()
        node.kill()
        node.start()
        find_master(cluster, binary)
        connect(node, "app", binary).close()
        with connect(node, binary) as r:
            for name, value in settings.items():
                expect(f"{name} after a restart", r.call("CONFIG", "GET", name) == [name.encode(), value])
        expect("a file that says another password than the cluster", "is not the password" not in node.log.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    options = parser.parse_args()
    check_rewrite(options.build)
    with Cluster(3, build=options.build) as cluster:
        for name, text in (("password", SECRET), ("peer", PEER_SECRET), ("wrong", "another")):
            (cluster.folder / name).write_text(text + "\n")
        security = f'[security]\nrequirepass_file = "{cluster.folder}/password"\npeer_password_file = "{cluster.folder}/peer"\n'
        for node in cluster.nodes:
            node.write_config("master" if node.id == 1 else "slave", security)
            node.start()
        master = find_master(cluster, SECRET)

        with connect(master) as stranger:
            expect("a stranger", str(stranger.call("GET", "probe")).startswith("NOAUTH"))
        with connect(master, SECRET) as admin:
            expect("ACL SETUSER", admin.call("ACL", "SETUSER", "app", "on", ">pw", "~app:*", "+@all", "-@dangerous", "+info", "+role", "+sentinel",
                                             "allchannels") == "OK")

        cli = Cli(cluster)
        code, _, error = cli.run("--json", "get", "probe")
        expect(f"the program without a password: {code} {error}", code == 2 and json.loads(error)["error"]["exit"] == 2)
        code, _, error = cli.run("get", "probe", TANIST_PASSWORD="wrong")
        expect(f"the program with a wrong one: {code} {error}", code == 2 and "wrong" not in error)
        expect("the program, password from the environment", cli.run("get", "probe", TANIST_PASSWORD=SECRET)[:2] == (0, "1\n"))
        file = str(cluster.folder / "password")
        expect("the program, password from a file", cli.run("--password-file", file, "put", "k", "v")[0] == 0)
        code, out, error = cli.run("--user", "app", "put", "app:2", "two", TANIST_PASSWORD="pw")
        expect(f"a user of the program: {code} {error}", code == 0)
        code, _, error = cli.run("--user", "app", "get", "k", TANIST_PASSWORD="pw")
        expect(f"what that user may not read: {code} {error}", code == 2 and "'k' key" in error)
        status = json.loads(cli.run("--password-file", file, "status", "--json")[1])
        expect(f"the status: {status}", status["master"] == master.id and len(status["nodes"]) == 3)
        check_redis_py(cluster)

        master.kill()
        new = find_master(cluster, SECRET)
        expect("another master", new is not master)
        with connect(new, "app", "pw") as app:
            expect("the user after the failover", app.call("GET", "app:2") == b"two")
            expect("its rules after the failover", str(app.call("GET", "k")).startswith("NOPERM"))
        with connect(new, SECRET) as admin:
            expect("ACL DELUSER", admin.call("ACL", "DELUSER", "app") == 1)
        code, out, error = cli.run("--password-file", file, "switchover")
        expect(f"a switchover: {code} {error}", code in (0, 3))  # the third node may still be catching up

        # The old master comes back with another peer password: nobody takes it for a node, and both sides say so, once.
        master.write_config("master" if master.id == 1 else "slave", security.replace(f"{cluster.folder}/peer", f"{cluster.folder}/wrong"))
        master.start()
        for node in cluster.nodes:
            text = f"node {master.id} has another security.peer_password" if node is not master else "refused by peer"
            await_true(f"the warning of node {node.id}", lambda: text in node.log.read_text())
        with connect(master, SECRET) as outsider:
            expect("the node that is left out takes no writes", str(outsider.call("SET", "x", "1")).startswith(("NOQUORUM", "READONLY", "TRYAGAIN")))
        for node in cluster.nodes:
            log = node.log.read_text()
            expect(f"a secret in the log of node {node.id}", SECRET not in log and PEER_SECRET not in log and "another\n" not in log)
            warnings = log.count("has another security.peer_password")
            expect(f"{warnings} warnings in the log of node {node.id}", warnings <= 8)
        master.kill()
        master.write_config("slave" if master.id != 1 else "master", security)
        master.start()

        def has_followed():
            with connect(master, SECRET) as r:
                return r.call("GET", "k") == b"v" and str(r.call("AUTH", "app", "pw")).startswith("WRONGPASS")
        await_true("the old master, back with the right one: it has the data, and lacks the user that is gone", has_followed)
    print("passwords: clients, program, users after a failover, peers: as they should be")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
