# SPDX-License-Identifier: Apache-2.0
"""Clients that write down what they asked and were told, in the lines of src/sim/history_file.h: some speak RESP, here; some are of the
client library (tools/recorder.cpp). Both work on the same keys, which change with the clock, so that each has a short history."""
import random, subprocess, threading, time
from cluster import Failure, Resp, await_true
from network import enter_namespace

NAMES = [f"k{i}" for i in range(4)] + ["c0", "c1"]
PREFIX = "h"
PERIOD_NS = 5_000_000_000  # as in the recorder
QUIET = ("READONLY", "NOQUORUM", "TRYAGAIN")  # by contract: nothing was and nothing will be executed


class Recorder:
    """What RESP clients asked and were answered."""

    def __init__(self):
        self.lock, self.lines, self.counts, self.keys = threading.Lock(), [], {}, set()

    @staticmethod
    def field(value):
        return "-" if value is None else "=" + value

    def add(self, key, kind, begin, end, expected=None, value=None, result=None, by=0, succeeded=False):
        line = "\t".join([key, kind, str(begin), "-" if end is None else str(end), self.field(expected), self.field(value),
                          self.field(result), str(by), "1" if succeeded else "0"])
        with self.lock:
            self.lines.append(line)
            self.keys.add(key)

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def done(self):
        with self.lock:
            return self.counts.get("done", 0)


class Client(threading.Thread):
    """One operation at a time, at some node; an error that promises nothing leaves its outcome unknown."""

    def __init__(self, cluster, number, seed, recorder, stopping):
        super().__init__(daemon=True)
        self.cluster, self.number, self.recorder, self.stopping = cluster, number, recorder, stopping
        self.random, self.connection, self.node, self.written = random.Random(seed * 1000 + number), None, None, 0
        self.last_seen = {}

    def run(self):
        if self.cluster.network:
            enter_namespace(self.cluster.outside)
        while not self.stopping.is_set():
            self.one()

    def connect(self):
        self.node = self.random.choice(self.cluster.nodes)
        self.connection = Resp(self.node.address, timeout=3.0)
        if self.connection.call("TANIST.READS", "linearizable") != "OK":
            raise ConnectionError("TANIST.READS")

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def draw(self):
        """Returns (words, key, kind, fields) of an operation."""
        name = self.random.choice(NAMES)
        key = f"{PREFIX}{time.monotonic_ns() // PERIOD_NS}-{name}"
        if self.random.random() < 0.4:
            return ("GET", key), key, "read", {}
        if name.startswith("c"):
            return ("INCR", key), key, "increment", {"by": 1}
        self.written += 1
        value = f"{self.number}.{self.written}"
        choice = self.random.random()
        if choice < 0.5:
            return ("SET", key, value), key, "write", {"value": value}
        if choice < 0.6:
            return ("DEL", key), key, "write", {}
        if choice < 0.75:
            return ("SET", key, value, "NX"), key, "compare", {"value": value}
        expected = self.last_seen.get(key) or "nothing"
        return ("TANIST.CAS", key, expected, value), key, "compare", {"expected": expected, "value": value}

    def one(self):
        try:
            if self.connection is None:
                self.connect()
        except (OSError, Failure):
            self.drop()
            self.recorder.count("not connected")
            self.stopping.wait(0.02)
            return
        words, key, kind, fields = self.draw()
        begin = time.monotonic_ns()
        try:
            reply = self.connection.call(*words)
        except (OSError, Failure, ValueError):
            self.drop()
            self.recorder.count("no answer")
            if kind != "read":
                self.recorder.add(key, kind, begin, None, **fields)
            return
        end = time.monotonic_ns()
        if isinstance(reply, Resp.Error):
            self.refused(reply.split()[0], key, kind, fields, begin)
            return
        self.recorder.count("done")
        if kind == "read":
            text = None if reply is None else reply.decode()
            self.last_seen[key] = text
            self.recorder.add(key, kind, begin, end, result=text)
        elif kind == "increment":
            self.recorder.add(key, kind, begin, end, result=str(reply), **fields)
        else:
            self.recorder.add(key, kind, begin, end, succeeded=reply in ("OK", 1), **fields)

    def refused(self, code, key, kind, fields, begin):
        self.recorder.count(code)
        if code not in QUIET and kind != "read":
            self.recorder.add(key, kind, begin, None, **fields)
        self.drop()
        self.stopping.wait(0.01)


class LibraryClients:
    """The recorder program: `clients` sessions of the client library."""

    def __init__(self, cluster, clients, seed):
        program = cluster.build / "tanist_recorder"
        if not program.exists():
            raise Failure(f"{program.name} is not in {program.parent}: build it first")
        self.history, self.sessions = cluster.folder / "library-history.tsv", cluster.folder / "sessions.tsv"
        self.counts, self.operations = {}, 0
        command = ["nsenter", f"--net=/run/netns/{cluster.outside}"] if cluster.network else []
        command += [program, "--seeds", ",".join(f"{n.host}:{n.client}" for n in cluster.nodes), "--clients", clients, "--seed", seed,
                    "--history", self.history, "--sessions", self.sessions, "--prefix", PREFIX]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            word, *rest = line.split()
            if word == "done":
                self.operations = int(rest[0])
            elif word == "count":
                self.counts[" ".join(rest[:-1])] = int(rest[-1])

    def done(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the recorder ended by itself with code {self.process.returncode}")
        return self.operations

    def stop(self):
        """Each key is read once more; all that is recorded is in the files then."""
        self.process.stdin.close()
        code = self.process.wait(150)
        self.reader.join(10)
        if code != 0:
            raise AssertionError(f"the recorder ended with code {code}: a key could not be read at the end")

    def kill(self):
        self.process.kill()
        self.process.wait()


def read_everywhere(cluster, recorder):
    """Each key of the RESP clients is read from each node, which must agree; what they answer becomes a part of the history."""
    keys = sorted(recorder.keys)

    def contents(node):
        with node.connect(30.0) as r:
            if r.call("TANIST.READS", "linearizable") != "OK":
                return None
            begin = time.monotonic_ns()
            values = r.pipeline([("GET", k) for k in keys])
            if any(isinstance(v, Resp.Error) for v in values):
                return None
            for key, value in zip(keys, values):
                recorder.add(key, "read", begin, time.monotonic_ns(), result=None if value is None else value.decode())
            return [values]
    found = {node.id: cluster.in_network(lambda: await_true(f"node {node.id} answers", lambda: contents(node), 60))[0]
             for node in cluster.nodes}
    for i, key in enumerate(keys):
        values = {number: values[i] for number, values in found.items()}
        if len(set(values.values())) != 1:
            raise AssertionError(f"nodes disagree on {key}: {values}")
    return len(keys)
