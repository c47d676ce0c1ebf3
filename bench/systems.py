# SPDX-License-Identifier: Apache-2.0
"""The systems that are measured: tanistd, redis-server and etcd, as processes of this machine on loopback."""
import json, os, pathlib, shutil, signal, socket, subprocess, sys, time, urllib.request


class Failure(Exception):
    """What was to be measured could not be."""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def resp(port, *words, timeout=5):
    """One command, the first line of its reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
        return s.makefile("rb").readline().decode().strip()


def seconds_until(what, condition, limit=60, pause=0.02):
    """Polls, and returns how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < limit:
        try:
            if condition():
                return time.monotonic() - began
        except OSError:
            pass
        time.sleep(pause)
    raise Failure(f"{what} did not happen within {limit} s")


def cpu_seconds(process, of_main_thread=False):
    """User and system time so far (proc(5))."""
    of = f"{process.pid}/task/{process.pid}" if of_main_thread else process.pid
    fields = pathlib.Path(f"/proc/{of}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


class System:
    """Some processes that make up one system under test. `target`: where writes and reads go."""
    dialect = "resp"
    wait = 0  # replicas that a WAIT behind each pipeline asks for

    def __init__(self, name, folder):
        self.name, self.folder, self.commands, self.processes = name, folder, [], []
        folder.mkdir(parents=True)

    def add(self, label, command, prefix=()):
        self.commands.append((label, [str(c) for c in (*prefix, *command)]))
        self.processes.append(None)
        self.start(len(self.commands) - 1)

    def start(self, index):
        label, command = self.commands[index]
        with open(self.folder / f"{label}.log", "ab") as log:
            self.processes[index] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

    def end(self, index, how=signal.SIGTERM):
        """Returns how long it took to end."""
        process = self.processes[index]
        began = time.monotonic()
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return time.monotonic() - began

    def idle_poll_seconds(self):
        """Processor time so far that kept cores awake, and that nobody else wanted."""
        return 0

    def stop(self):
        for process in self.processes:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            if process is None:
                continue
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Tanist(System):
    def __init__(self, folder, build, nodes, extra="", prefixes=None, node=""):
        """`node`: lines of [node]; `extra`: sections."""
        super().__init__("tanistd", folder)
        ports = free_ports(3 * nodes)
        self.ports, peer, self.http = ports[:nodes], ports[nodes:2 * nodes], ports[2 * nodes:]
        members = ", ".join(f'"{i + 1}@127.0.0.1:{peer[i]}"' for i in range(nodes))
        for i in range(nodes):
            config = folder / f"node{i + 1}.toml"
            config.write_text(f"""[node]
id = {i + 1}
role = "{'master' if i == 0 else 'slave'}"
data_dir = "{folder}/data{i + 1}"
{node}
[listen]
client = "127.0.0.1:{self.ports[i]}"
peer = "127.0.0.1:{peer[i]}"
http = "127.0.0.1:{self.http[i]}"
[cluster]
name = "bench"
nodes = [{members}]
{extra}""")
            self.add(f"node{i + 1}", [build / "tanistd", "--config", config], prefixes[i] if prefixes else ())
        self.port = self.ports[0]
        self.target = f"127.0.0.1:{self.port}"
        seconds_until("tanistd's first write", lambda: resp(self.port, "SET", "ready", "1") == "+OK")
        for port in self.ports[1:]:
            seconds_until("a slave's first read", lambda: resp(port, "GET", "ready") == "$1")

    def idle_poll_seconds(self):
        return sum(self.metric(node, "tanist_idle_poll_seconds_total") for node in range(len(self.http)))

    def metric(self, node, name):
        """The sum over all labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http[node]}/metrics", timeout=5) as reply:
            lines = reply.read().decode().splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name) and line[len(name)] in " {"]
        return sum(values)


class Redis(System):
    def __init__(self, folder, nodes):
        super().__init__("redis-server", folder)
        self.wait = 1 if nodes > 1 else 0
        ports = free_ports(nodes)
        for i, port in enumerate(ports):
            data = folder / f"data{i + 1}"
            data.mkdir()
            command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", data, "--save", "", "--appendonly", "yes",
                       "--appendfsync", "always"]
            if i > 0:
                command += ["--replicaof", "127.0.0.1", ports[0]]
            self.add(f"node{i + 1}", command)
        self.port = ports[0]
        self.target = f"127.0.0.1:{self.port}"
        seconds_until("redis-server's first write", lambda: resp(self.port, "SET", "ready", "1") == "+OK")
        if nodes > 1:
            seconds_until("two replicas", lambda: resp(self.port, "WAIT", str(nodes - 1), "500") == f":{nodes - 1}")


class Etcd(System):
    """Default settings but for the data folder and the ports; measured at its leader, which spares it a hop."""
    dialect = "etcd"

    @staticmethod
    def is_installed():
        return shutil.which("etcd") is not None and shutil.which("etcdctl") is not None

    def __init__(self, folder, nodes):
        super().__init__("etcd", folder)
        ports = free_ports(2 * nodes)
        client, peer = ports[:nodes], ports[nodes:]
        cluster = ",".join(f"n{i}=http://127.0.0.1:{peer[i]}" for i in range(nodes))
        for i in range(nodes):
            mine, theirs = f"http://127.0.0.1:{client[i]}", f"http://127.0.0.1:{peer[i]}"
            self.add(f"n{i}", ["etcd", "--name", f"n{i}", "--data-dir", folder / f"data{i}", "--listen-client-urls", mine,
                               "--advertise-client-urls", mine, "--listen-peer-urls", theirs, "--initial-advertise-peer-urls", theirs,
                               "--initial-cluster", cluster, "--initial-cluster-state", "new", "--log-level", "warn",
                               "--quota-backend-bytes", "8589934592"])
        self.target = None
        seconds_until("etcd's election", lambda: self.find_leader(client))

    def find_leader(self, ports):
        for port in ports:
            done = subprocess.run(["etcdctl", "--endpoints", f"127.0.0.1:{port}", "--write-out", "json", "endpoint", "status"],
                                  env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True)
            if done.returncode != 0:
                return False
            status = json.loads(done.stdout)[0]["Status"]
            if status["leader"] == status["header"]["member_id"]:
                self.target = f"127.0.0.1:{port}"
        return self.target is not None


def run_load(build, system, target=None, **options):
    """What tanist_load measured, as a dictionary, with "idle_poll_us", the part of the processor time of an operation that is idle polling."""
    polled = system.idle_poll_seconds()
    options.setdefault("dialect", system.dialect)
    command = [build / "tanist_load", "--json", "--target", target or system.target,
               "--server-pid", ",".join(str(p.pid) for p in system.processes)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        raise Failure(f"{' '.join(map(str, command))}: {done.stderr}")
    result = json.loads(done.stdout)
    result["idle_poll_us"] = (system.idle_poll_seconds() - polled) * 1e6 / max(1, result["operations"])
    if result["errors"]:
        print(f"bench: {system.name}: {result['errors']} errors, the first: {result['first_error']}", file=sys.stderr)
    return result
