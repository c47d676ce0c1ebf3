# SPDX-License-Identifier: Apache-2.0
"""Real processes as a cluster: starts tanistd from config files, kills and pauses it, speaks RESP to it, and reads back what it keeps."""
import json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time
from disks import Disk, Faults
from network import Network, enter_namespace

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failure(Exception):
    """What was expected did not happen."""


def await_true(what, condition, seconds=30.0, pause=0.02):
    """Polls until `condition` holds, and returns what it returned. The pause bounds the polling; no result depends on it."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            result = condition()
            if result:
                return result
            last = result
        except (OSError, Failure) as error:
            last = error
        time.sleep(pause)
    raise Failure(f"{what}: not within {seconds} s (last: {last!r})")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Resp:
    """A RESP2 connection. Error replies come back as RespError values, lost connections as OSError."""

    class Error(str):
        pass

    def __init__(self, address, timeout=5.0):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @staticmethod
    def encode(words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

    def read(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("connection closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Resp.Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            data = self.stream.read(int(rest) + 2)
            if len(data) != int(rest) + 2:
                raise ConnectionResetError("connection closed")
            return data[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        raise Failure(f"not RESP: {line!r}")

    def call(self, *words):
        self.socket.sendall(self.encode(words))
        return self.read()

    def pipeline(self, commands):
        self.socket.sendall(b"".join(self.encode(c) for c in commands))
        return [self.read() for _ in commands]


class Node:
    def __init__(self, cluster, number, host, ports, namespace=None):
        self.cluster, self.id, self.host, self.namespace = cluster, number, host, namespace
        self.client, self.peer, self.http, self.sentinel = ports
        self.data = cluster.folder / f"data{number}"
        self.disk = self.faults = None
        self.config = cluster.folder / f"node{number}.toml"
        self.log = cluster.folder / f"node{number}.log"
        self.process = None

    @property
    def address(self):
        return (self.host, self.client)

    def write_config(self, role, extra=""):
        members = ", ".join(f'"{n.id}@{n.host}:{n.peer}"' for n in self.cluster.nodes)
        threads = 2 if self.id % 2 == 1 else 1  # both ways are the product
        self.config.write_text(f"""[node]
id = {self.id}
role = "{role}"
data_dir = "{self.data}"
network_threads = {threads}
[listen]
client = "{self.host}:{self.client}"
peer = "{self.host}:{self.peer}"
http = "{self.host}:{self.http}"
sentinel = "{self.host}:{self.sentinel}"
[cluster]
name = "e2e"
nodes = [{members}]
{extra}""")

    def give_disk(self):
        """A file system of its own for the data, in place of a folder."""
        self.disk = Disk(self.cluster.folder / f"disk{self.id}.ext4", self.cluster.folder / f"disk{self.id}")
        self.data = self.disk.path / "data"

    def give_faults(self):
        """Calls on the data fail, and the clock jumps, as `faults` is told."""
        self.faults = Faults(self.cluster.folder / f"faults{self.id}", self.data, self.cluster.build / "libtanist_faults.so")

    def start(self, *arguments):
        if self.cluster.is_closed:
            raise Failure("the cluster has been closed")  # for threads that go on after an interruption
        # Not `ip netns exec`: it would hold all disks mounted in a mount namespace of its own.
        command = ["nsenter", f"--net=/run/netns/{self.namespace}"] if self.namespace else []
        command += [self.cluster.build / "tanistd", "--config", self.config, *arguments]
        environment = {**os.environ, **(self.faults.environment() if self.faults else {})}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=log, cwd=self.cluster.folder, env=environment)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self, seconds=20):
        self.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def connect(self, timeout=5.0):
        return Resp(self.address, timeout)

    def role(self):
        """"master", "slave", or None where it does not answer."""
        try:
            with self.connect(2.0) as r:
                reply = r.call("ROLE")
                return reply[0].decode() if isinstance(reply, list) else None
        except (OSError, Failure):
            return None

    def log_tail(self, lines=25):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


class Cluster:
    """Processes on loopback by default; with namespaces=True each node gets a network namespace of its own, on one switch; with
    disks=True a file system of its own; with faults=True a library that lets calls fail and the clock jump."""

    def __init__(self, nodes=3, build=None, namespaces=False, extra_config="", keep=False, disks=False, faults=False, seed=1):
        self.build = pathlib.Path(build or os.environ.get("TANIST_BUILD", ROOT / "build/release")).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tanist-e2e-"))
        self.keep, self.network, self.nodes, self.is_closed = keep, None, [], False
        try:
            if namespaces:
                self.network = Network(f"tn{os.getpid()}", nodes, self.build / "tanist_test_switch", seed)
                self.nodes = [Node(self, i + 1, host, (7401, 7501, 7601, 7701), self.network.namespaces[i])
                              for i, host in enumerate(self.network.hosts)]
            else:
                ports = free_ports(4 * nodes)
                self.nodes = [Node(self, i + 1, "127.0.0.1", ports[4 * i:4 * i + 4]) for i in range(nodes)]
            for node in self.nodes:
                if disks:
                    node.give_disk()
                if faults:
                    node.give_faults()
                node.write_config("master" if node.id == 1 else "slave", extra_config)
        except BaseException:
            self.close(keep=False)
            raise

    @property
    def outside(self):
        """The namespace of the clients; None: the one that all share."""
        return self.network.outside if self.network else None

    def cut_off(self, node):
        """Every packet to and from the node is dropped in silence: no reset, no refusal."""
        self.network.cut_off(node.host)

    def reconnect(self, _):
        self.network.heal()

    # -- life -------------------------------------------------------------------------------------------------------------------
    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is not None and kind is not KeyboardInterrupt:
            for node in self.nodes:
                print(f"--- end of the log of node {node.id} ---\n{node.log_tail()}", file=sys.stderr)
        self.close(self.keep or kind is not None)

    def close(self, keep):
        self.is_closed = True
        for node in self.nodes:
            if node.disk and node.disk.is_mounted:
                node.disk.thaw()
            node.signal(signal.SIGCONT)
            node.signal(signal.SIGKILL)
        for node in self.nodes:
            if node.process:
                node.process.wait()
            if node.disk:
                node.disk.close()
        if self.network:
            self.network.close()
        if keep:
            disks = "; the data of a node: mount -o loop,ro FILE.ext4 FOLDER" if any(n.disk for n in self.nodes) else ""
            print(f"kept: {self.folder}{disks}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        for node in self.nodes:
            node.start()
        self.await_writes()
        return self

    def in_network(self, action):
        """Runs `action` in a thread inside the clients' namespace when there is one, and returns its result."""
        if not self.network:
            return action()
        outcome = {}

        def body():
            try:
                enter_namespace(self.outside)
                outcome["result"] = action()
            except BaseException as error:
                outcome["error"] = error

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["result"]

    def master(self, among=None, seconds=30.0):
        """The node that takes writes."""
        def look():
            for node in among or self.nodes:
                if node.running() and node.role() == "master":
                    with node.connect() as r:
                        if r.call("SET", "master-probe", "1") == "OK":
                            return node
            return None
        return self.in_network(lambda: await_true("a master that takes writes", look, seconds))

    def await_writes(self):
        return self.master()

    def tanist(self, *arguments, node=None, check=True, **options):
        """The command-line client, connected to one node (or all)."""
        seeds = ",".join(f"{n.host}:{n.client}" for n in ([node] if node else self.nodes))
        command = ["nsenter", f"--net=/run/netns/{self.outside}"] if self.network else []
        command += [str(self.build / "tanist"), "--connect", seeds, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, **options)
        if check and done.returncode != 0:
            raise Failure(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done

    def status(self):
        """What `tanist status` prints, from any node that answers; None: none does."""
        done = self.tanist("--json", "status", check=False, timeout=20)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def verify(self, acknowledged, node, chunk=500):
        """Every acknowledged write, read back from `node` at level linearizable. Returns how many."""
        items = list(acknowledged.items())

        def read_all():
            with node.connect(30.0) as r:
                reply = r.call("TANIST.READS", "linearizable")
                if reply != "OK":
                    raise Failure(f"node {node.id}: TANIST.READS: {reply!r}")
                for at in range(0, len(items), chunk):
                    part = items[at:at + chunk]
                    for (key, value), found in zip(part, r.pipeline([("GET", k) for k, _ in part])):
                        if isinstance(found, Resp.Error):
                            raise ConnectionError(f"node {node.id}: {found}")  # tried again by the caller: not ready yet
                        if found != value.encode():
                            raise AssertionError(f"LOST: node {node.id} answers {found!r} for {key}, {value!r} was acknowledged")
            return True
        self.in_network(lambda: await_true(f"reading back from node {node.id}", read_all, 60))
        return len(items)


class Writers:
    """Clients that write without pause, each key once, to whichever node takes it. `acknowledged` holds what was answered OK."""

    def __init__(self, nodes, count=8, namespace=None, name="w"):
        self.nodes, self.namespace, self.name = nodes, namespace, name
        self.acknowledged, self.acks, self.outcomes = {}, [], {}
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.body, args=(i,), daemon=True) for i in range(count)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
        return self

    def body(self, number):
        if self.namespace:
            enter_namespace(self.namespace)
        at, counter, connection = number, 0, None
        while not self.stopping.is_set():
            node = self.nodes[at % len(self.nodes)]
            counter += 1
            key, value = f"{self.name}-{number}-{counter}", f"v{counter}-{time.monotonic_ns()}"
            try:
                if connection is None:
                    connection = Resp(node.address, timeout=0.4)
                reply = connection.call("SET", key, value)
            except (OSError, Failure) as error:
                reply = Resp.Error(f"LOST {type(error).__name__}")
            if reply == "OK" and not isinstance(reply, Resp.Error):
                with self.lock:
                    self.acknowledged[key] = value
                    self.acks.append((time.monotonic(), node.id))
                continue
            with self.lock:
                code = str(reply).split()[0]
                self.outcomes[code] = self.outcomes.get(code, 0) + 1
            if connection:
                connection.close()
            connection, at = None, at + 1
            time.sleep(0.002)

    def first_ack(self, after, not_from):
        with self.lock:
            return next((t for t, node in self.acks if t > after and node != not_from), None)

    def count(self):
        with self.lock:
            return len(self.acknowledged)
