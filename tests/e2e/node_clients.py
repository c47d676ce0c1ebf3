#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ioredis and node-redis, unchanged, use a cluster through Sentinel and follow its master: under load it is killed with -9, and then another
takes over by FAILOVER; calls resume on the new one by themselves, and every acknowledged write is read back. Skipped without Node.js, or where npm cannot fetch the clients."""
import argparse, json, pathlib, shutil, subprocess, sys, threading, time

from cluster import Cluster, Failure, await_true

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


def install(build):
    """The pinned clients, once for a build folder; None: why not is printed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("skipped: node and npm are missing (Debian: nodejs npm)")
        return None
    folder = pathlib.Path(build) / "e2e-node"
    wanted = (HERE / "node/package-lock.json").read_text()
    done = folder / "installed"
    if done.exists() and done.read_text() == wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / name, folder / name)
    try:
        npm = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        print("skipped: npm did not fetch the clients within 120 s")
        return None
    if npm.returncode != 0:
        print(f"skipped: npm cannot fetch the clients: {npm.stderr.strip().splitlines()[-1:]}")
        return None
    done.write_text(wanted)
    return folder


class Client:
    """The process of one client; what it tells comes line by line."""

    def __init__(self, folder, library, name, ports):
        self.process = subprocess.Popen(["node", str(HERE / "node/client.js"), library, name, ",".join(map(str, ports))], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/local/bin:/usr/bin:/bin", "NODE_PATH": str(folder / "node_modules")})
        self.told = {}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.told.update(json.loads(line))

    def has(self, key, least=1):
        if key not in self.told and self.process.poll() is not None:
            raise SystemExit(f"FAILED: the client ended with code {self.process.returncode}")
        return self.told.get(key, 0) >= least

    def finish(self):
        self.process.stdin.close()
        code = self.process.wait(60)
        self.reader.join(10)
        if code != 0:
            raise Failure(f"the client ended with code {code}")
        return self.told

    def kill(self):
        self.process.kill()
        self.process.wait()


def switch_over(cluster, client, library):
    """Nobody dies: the master hands over while the client writes."""
    old = cluster.master()
    before, asked = client.told["acknowledged"], time.monotonic()
    with old.connect(timeout=30) as r:
        await_true("FAILOVER is answered", lambda: r.call("FAILOVER") == "OK")  # not before a slave has caught up
    await_true(f"writes of {library} go on behind the switchover", lambda: client.has("acknowledged", before + 300), 60)
    if cluster.master() is old:
        raise Failure("FAILOVER was answered, and the master is the same")
    print(f"{library}: switchover from {old.id}, 300 more writes after {time.monotonic() - asked:.2f} s", flush=True)


def story(cluster, folder, library, rounds):
    client = Client(folder, library, "e2e", [node.sentinel for node in cluster.nodes])
    try:
        await_true(f"{library} is used", lambda: client.has("used"), 60)
        for round in range(rounds):
            await_true("some load", lambda: client.has("acknowledged", 300 * (round + 1)), 60)
            victim = cluster.master()
            before, killed = client.told["acknowledged"], time.monotonic()
            victim.kill()
            await_true(f"writes of {library} that resume by themselves", lambda: client.has("acknowledged", before + 300), 60)
            print(f"{library}: master {victim.id} killed, 300 more writes after {time.monotonic() - killed:.2f} s", flush=True)
            victim.start()
            await_true("the killed node follows", lambda: victim.role() == "slave")
        switch_over(cluster, client, library)
        told = client.finish()
        if told["lost"] != 0:
            raise Failure(f"{library}: {told['lost']} acknowledged writes are lost, the first is {told['first_lost']}")
        print(f"{library}: {told['read_back']} acknowledged writes, all there; errors met: {told['errors']}", flush=True)
    finally:
        client.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    folder = install(options.build)
    if folder is None:
        return SKIPPED
    with Cluster(3, build=options.build) as cluster:
        cluster.start()
        for library in ("ioredis", "redis"):
            story(cluster, folder, library, options.rounds)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
