# SPDX-License-Identifier: Apache-2.0
"""What is more than a throughput: restarts, a stopped slave, flushes and compactions under load, reads spread over slaves. Each story
returns rows (what, value, goal, met or None) and plots {name: SVG}."""
import json, os, pathlib, signal, statistics, subprocess, threading, time

import report
from systems import Failure, Redis, Tanist, cpu_seconds, resident_bytes, resp, run_load, seconds_until

KEY = "key:%012d"


# -- restart ---------------------------------------------------------------------------------------------------------------------

def restart(folder, build, options):
    """Until a read is answered, after kill -9 under load and after a clean stop."""
    keys, rows = options.restart_keys, []
    for make in (lambda: Tanist(folder / "tanist", build, 1), lambda: Redis(folder / "redis", 1)):
        system = make()
        try:
            run_load(build, system, load=True, keys=keys, pipeline=64, connections=16)
            for how, words in ((signal.SIGKILL, "kill -9 under load"), (signal.SIGTERM, "a clean stop")):
                run_load(build, system, keys=keys, pipeline=64, connections=16, seconds=2)
                ended = system.end(0, how)
                system.start(0)
                took = seconds_until("the first read after a restart",
                                     lambda: resp(system.port, "GET", KEY % (keys - 1)).startswith("$100"), limit=120, pause=0.005)
                ours = system.name == "tanistd"
                rows.append((f"restart with {keys / 1e6:g} M x 100 B until reads are served, after {words}: {system.name}",
                             f"{took:.2f} s (stopping took {ended:.2f} s)", "<= 1 s" if ours else "", took <= 1 if ours else None))
        finally:
            system.stop()
    return rows, {}


# -- a slave that stands still ---------------------------------------------------------------------------------------------------

def stopped_slave(folder, build, options):
    """Writes for a while, with one of two slaves stopped in the middle (SIGSTOP), in three equal parts."""
    part = options.stop_seconds
    system = Tanist(folder / "stopped", build, 3)
    try:
        run_load(build, system, load=True, keys=100_000, pipeline=64, connections=8)
        master, slave = system.processes[0], system.processes[2]
        memory, done = [], threading.Event()

        def watch():
            began = time.monotonic()
            while not done.wait(0.25):
                memory.append((time.monotonic() - began, resident_bytes(master)))

        def disturb():
            if not done.wait(part):
                slave.send_signal(signal.SIGSTOP)
            done.wait(part)
            slave.send_signal(signal.SIGCONT)

        threads = [threading.Thread(target=watch), threading.Thread(target=disturb)]
        for thread in threads:
            thread.start()
        result = run_load(build, system, keys=100_000, pipeline=16, seconds=3 * part, series_ms=500)
        done.set()
        for thread in threads:
            thread.join()
        caught_up = seconds_until("the slave's catching up", lambda: system.metric(0, "tanist_peer_lag_entries") == 0, limit=120)
    finally:
        system.stop()
    counts = [count for count, _, _ in result["series"]]
    during = lambda values, low, high: [v for i, v in enumerate(values) if low <= i * 0.5 < high]
    before = statistics.median(during(counts, 1, part - 0.5)) * 2
    stopped = statistics.median(during(counts, part + 0.5, 2 * part - 0.5)) * 2
    rss = lambda low, high: max(bytes_ for at, bytes_ in memory if low <= at < high) / 2**20
    grown = rss(part, 2 * part) - rss(0, part)
    plot = report.series_plot("three nodes, SET P=16: one slave stopped, then going on", 0.5,
                              [("writes in 0.5 s", counts, "#27a"), ("master's memory, MiB", [b / 2**20 for _, b in memory][::2], "#c63")],
                              [(part, "SIGSTOP"), (2 * part, "SIGCONT")])
    return [(f"one of two slaves stopped for {part:g} s: throughput while it is, to before", f"{stopped:,.0f} / {before:,.0f} = {stopped / before:.2f}", ">= 0.9", stopped / before >= 0.9),
            ("the same: growth of the master's memory", f"{grown:.0f} MiB, from {rss(0, part):.0f} MiB", "<= 64 MiB", grown <= 64),
            ("the same: time to catch up once the load has ended", f"{caught_up:.1f} s", "", None)], {"stopped-slave": plot}


# -- flush and compaction ----------------------------------------------------------------------------------------------------------

def flushes(folder, build, options):
    """Writes of a large key space: RocksDB is fed, flushes and compacts all the time."""
    rows, plots = [], {}
    for nodes in (1, 3):
        system = Tanist(folder / f"flush{nodes}", build, nodes)
        try:
            run_load(build, system, load=True, keys=1_000_000, pipeline=64, connections=8)
            result = run_load(build, system, keys=1_000_000, pipeline=16, seconds=options.flush_seconds, series_ms=250)
        finally:
            system.stop()
        p99s = [p99 for count, p99, _ in result["series"] if count > 0]
        typical = statistics.median(p99s)
        ratio = result["p999_us"] / typical
        words = "one node" if nodes == 1 else "three nodes"
        rows.append((f"SET P=16, {words}, 1 M keys: p99.9 during flush and compaction to the median p99",
                     f"{result['p999_us']:,.0f} / {typical:,.0f} us = {ratio:.1f} (longest {result['max_us'] / 1000:,.0f} ms)", "<= 5", ratio <= 5))
        plots[f"flush-{nodes}"] = report.series_plot(f"SET P=16, {words}, 1 M keys", 0.25,
                                                     [("writes in 0.25 s", [c for c, _, _ in result["series"]], "#27a"),
                                                      ("p99 in it, us", [p for _, p, _ in result["series"]], "#c63")])
    return rows, plots


# -- reads spread over slaves --------------------------------------------------------------------------------------------------------

class CpuGroup:
    """A control group that holds one process to a share of a core; None where the kernel offers none."""

    def __init__(self, name, cores):
        self.path = None
        period = 10_000
        quota = int(cores * period)
        kinds = [("/sys/fs/cgroup", {"cpu.max": f"{quota} {period}"}),
                 ("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": period, "cpu.cfs_quota_us": quota})]
        for root, limits in kinds:
            path = pathlib.Path(root) / name
            try:
                path.mkdir()
            except OSError:
                continue
            if all((path / file).exists() for file in limits):  # made by the kernel, if this is where it keeps its groups
                for file, value in limits.items():
                    (path / file).write_text(str(value))
                self.path = path
                return
            path.rmdir()

    def take(self, process):
        (self.path / "cgroup.procs").write_text(str(process.pid))

    def remove(self):
        if self.path is not None:
            self.path.rmdir()


def spread_reads(folder, build, options):
    """Reads by the client library, which spreads them over the slaves; then with each server held to a fifth of a core."""
    rows, held = [], {}
    for nodes in (1, 3):
        groups = [CpuGroup(f"tanist-bench-{os.getpid()}-{nodes}-{i}", 0.2) for i in range(nodes)]
        system = Tanist(folder / f"spread{nodes}", build, nodes)
        try:
            run_load(build, system, load=True, keys=100_000, pipeline=64, connections=8)
            if nodes > 1:
                rows += even_share(build, system, options)
            if all(group.path for group in groups):
                for group, process in zip(groups, system.processes):
                    group.take(process)
                # As many reads for each node that serves them: what a read costs depends on how many are answered in one turn. And many:
                # each client gives the slaves reads by turns, and while one has used up its share all of few would wait for it.
                held[nodes] = spread(build, system, options, clients=16, at_once=32 * max(1, nodes - 1))
        finally:
            system.stop()
            for group in groups:
                group.remove()
    if len(held) == 2:
        rows.append(("reads by the client library, each server held to 0.2 core: three nodes to one",
                     f"{held[3]:,.0f} / {held[1]:,.0f} = {held[3] / held[1]:.2f}", ">= 1.8, for two slaves serve", held[3] / held[1] >= 1.8))
    else:
        rows.append(("reads with each server held to 0.2 core", "no cgroup with a CPU limit can be made here", "", None))
    return rows, {}


def spread(build, system, options, clients=1, at_once=64):
    """Reads a second of so many clients, each of which has so many reads under way."""
    command = [build / "tanist_spread", "--seeds", ",".join(f"127.0.0.1:{port}" for port in system.ports), "--keys", "100000",
               "--seconds", options.seconds * 2, "--at-once", at_once]
    running = [subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(clients)]
    told = [client.communicate() for client in running]
    for client, (_, errors) in zip(running, told):
        if client.returncode != 0:
            raise Failure(f"tanist_spread: {errors}")
    return sum(json.loads(answer)["per_second"] for answer, _ in told)


def even_share(build, system, options):
    numbers = lambda: [(system.metric(i, "tanist_commands_total"), cpu_seconds(p)) for i, p in enumerate(system.processes)]
    before = numbers()
    spread(build, system, options)
    used = [(after[0] - b[0], after[1] - b[1]) for after, b in zip(numbers(), before)]
    reads = [r for r, _ in used[1:]]
    cost = [cpu / max(r, 1) * 1e6 for r, cpu in used[1:]]
    uneven = max(reads) / max(1, min(reads))
    return [("reads by the client library on three nodes: on master / slave / slave", " / ".join(f"{r:,.0f}" for r, _ in used),
             "slaves within 10 %", uneven <= 1.1),
            ("the same: CPU per read on each slave", " / ".join(f"{c:.1f} us" for c in cost), "within 20 %", max(cost) / max(1e-9, min(cost)) <= 1.2)]


# -- network threads -----------------------------------------------------------------------------------------------------------------

def network_threads(folder, build, options):
    """The loop alone beside two threads, in turn: a load whose generator needs as many cores as the server does, and reads that cost the
    server alone (BITCOUNT of a value of 1 MB)."""
    rows = []
    systems = {threads: Tanist(folder / f"threads{threads}", build, 1, node=f"network_threads = {threads}") for threads in (1, 2)}

    def measure(system, **load):
        before = cpu_seconds(system.processes[0], of_main_thread=True)
        result = run_load(build, system, keys=100_000, seconds=options.seconds, **load)
        result["loop_cpu_us"] = (cpu_seconds(system.processes[0], of_main_thread=True) - before) * 1e6 / max(1, result["operations"])
        return result

    try:
        for system in systems.values():
            run_load(build, system, load=True, keys=100_000, pipeline=64, connections=8)
        for what, get_percent in (("GET", 100), ("SET", 0)):
            for pipeline in (1, 16, 64):
                results = {threads: [] for threads in systems}
                for number in range(options.rounds + 2):
                    for threads in sorted(systems, reverse=number % 2 == 1):
                        results[threads].append(measure(systems[threads], pipeline=pipeline, get_percent=get_percent, seed=number + 1))
                two, one = ({field: report.median(results[threads], field) for field in ("per_second", "server_cpu_us", "loop_cpu_us")}
                            for threads in (2, 1))
                rows.append((f"{what}, one node, P={pipeline}, two network threads / one: op/s",
                             f"{two['per_second']:,.0f} / {one['per_second']:,.0f} = {two['per_second'] / one['per_second']:.2f}", "", None))
                rows.append(("the same: CPU us per operation, all threads; the loop's alone",
                             f"{two['server_cpu_us']:.2f} / {one['server_cpu_us']:.2f}; {two['loop_cpu_us']:.2f} / {one['loop_cpu_us']:.2f}", "", None))
        rows.append(costly_reads(systems, options))
    finally:
        for system in systems.values():
            system.stop()
    return rows, {}


def costly_reads(systems, options):
    rates = {threads: [] for threads in systems}
    for system in systems.values():
        resp(system.port, "SETRANGE", "large", "999999", "x")
    for number in range(options.rounds + 2):
        for threads in sorted(systems, reverse=number % 2 == 1):
            command = ["redis-benchmark", "-p", systems[threads].port, "-c", 50, "-n", 4000, "--csv", "BITCOUNT", "large"]
            told = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
            rates[threads].append(float(told.splitlines()[-1].split(",")[1].strip('"')))
    two, one = (statistics.median(rates[threads]) for threads in (2, 1))
    return "BITCOUNT of 1 MB, one node, 50 clients, two network threads / one: op/s", f"{two:,.0f} / {one:,.0f} = {two / one:.2f}", "", None


ALL = {"network threads": network_threads, "restart": restart, "stopped slave": stopped_slave, "flush and compaction": flushes, "reads spread over slaves": spread_reads}
