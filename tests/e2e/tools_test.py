#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tools with which chaos.py hurts a cluster do what they say: packets are dropped, rejected, delayed, lost, doubled and slowed
down, a disk forgets what was not synced, fills up and stalls, calls fail and clocks jump."""
import argparse, errno, os, pathlib, socket, subprocess, sys, tempfile, threading, time
import disks, network
from cluster import ROOT, await_true
from disks import MIB, Disk, Faults
from network import Network, enter_namespace


def expect(what, is_so):
    if not is_so:
        raise AssertionError(what)


def inside(namespace, action):
    """The result of `action` in a thread of that network namespace."""
    result = []

    def body():
        enter_namespace(namespace)
        result.append(action())
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    return result[0]


def udp(host):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 9))
    s.settimeout(20)
    return s


def check_network(build):
    net = Network(f"tt{os.getpid()}", 2, build / "tanist_test_switch")
    try:
        a, b = net.hosts
        one, two = (inside(name, lambda: udp(host)) for name, host in zip(net.namespaces, net.hosts))

        def received(expected, packets=1, bytes_each=10):
            """How many of them arrive from a at b, and after how many seconds the last one: long waiting for those expected, and a
            little for more."""
            began, count, last = time.monotonic(), 0, 0.0
            for _ in range(packets):
                one.sendto(bytes(bytes_each), (b, 9))
            try:
                while True:
                    two.settimeout(20 if count < expected else 0.2)
                    two.recv(2000)
                    count, last = count + 1, time.monotonic() - began
            except TimeoutError:
                return count, last

        expect("a packet passes", received(1)[0] == 1)
        net.set("drop", [a], [b], both_ways=False)
        expect("a dropped packet does not arrive", received(0)[0] == 0)
        two.sendto(b"x", (a, 9))
        expect("the other direction still passes", one.recv(10) == b"x")
        net.heal()
        net.shape(a, b, delay_ms=120)
        count, last = received(1)
        expect(f"a delayed packet arrives, later: {count} after {last} s", count == 1 and last >= 0.12)
        net.shape(a, b, loss=1)
        expect("a lost packet does not arrive", received(0)[0] == 0)
        net.shape(a, b, duplicate=1)
        expect("a doubled packet arrives twice", received(2)[0] == 2)
        net.shape(a, b, bytes_a_second=50_000)
        count, last = received(6, 6, 1000)
        expect(f"a narrow link takes its time: {count} after {last} s", count == 6 and last >= 0.1)
        net.heal()
        check_reset(net)
        counts = net.counts()
        expect(f"all is counted: {counts}", all(counts[name] > 0 for name in ("passed", "dropped", "lost", "duplicated", "delayed", "reset")))
    finally:
        net.close()


def check_reset(net):
    """As by a firewall: what lives is reset, what would begin is refused."""
    def listen():
        s = socket.create_server((net.hosts[1], 7))
        s.settimeout(5)
        return s
    server = inside(net.namespaces[1], listen)
    client = inside(net.namespaces[0], lambda: socket.create_connection((net.hosts[1], 7), 5))
    net.set("reset", [net.hosts[0]], [net.hosts[1]], both_ways=False)
    client.send(b"x")
    await_true("the connection is reset", lambda: client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (errno.ECONNRESET, errno.EPIPE), 5)

    def dial():
        try:
            socket.create_connection((net.hosts[1], 7), 5)
        except ConnectionRefusedError:
            return True
        return False
    expect("a new connection is refused", inside(net.namespaces[0], dial))
    client.close()
    server.close()


def check_disk(folder):
    disk = Disk(folder / "disk.ext4", folder / "disk", 64 * MIB)
    try:
        with open(disk.path / "file", "wb", buffering=0) as f:
            f.write(b"a" * 1000)
            os.fsync(f.fileno())
            f.write(b"b" * 1000)
            disk.cut_power()
            try:
                f.write(b"c")
                os.fsync(f.fileno())
                raise AssertionError("a disk without power takes a sync")
            except OSError as error:
                expect(f"a disk without power fails: {error}", error.errno == errno.EIO)
        disk.unmount()
        disk.mount()
        expect("what was synced survives a power cut, and only that", (disk.path / "file").read_bytes() == b"a" * 1000)
        disk.fill(MIB)
        info = os.statvfs(disk.path)
        expect("a filled disk has as much left as asked", abs(info.f_bavail * info.f_frsize - MIB) <= 64 * 1024)
        disk.make_room()
        check_stall(disk)
    finally:
        disk.close()


def check_stall(disk):
    disk.freeze()
    try:
        writer = subprocess.Popen(["touch", str(disk.path / "late")])
        try:
            writer.wait(0.3)
            raise AssertionError("a stalled disk takes a file")
        except subprocess.TimeoutExpired:
            pass
    finally:
        disk.thaw()
    expect("it goes on when the disk does", writer.wait(10) == 0)


SHIM_VICTIM = """
import os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for call in (lambda: os.fdatasync(descriptor), lambda: os.pwrite(descriptor, b"x", 0), lambda: os.pread(descriptor, 1, 0)):
    try:
        call()
        print(0)
    except OSError as error:
        print(error.errno)
print(int(time.time()))
"""


def check_shim(folder, build):
    faults = Faults(folder / "faults", folder / "bad", build / "libtanist_faults.so")
    (folder / "bad").mkdir()

    def victim(below):
        done = subprocess.run([sys.executable, "-c", SHIM_VICTIM, str(folder / below)], env={**os.environ, **faults.environment()},
                              capture_output=True, text=True, check=True)
        return [int(word) for word in done.stdout.split()]

    expect("nothing fails unasked", victim("bad/file")[:3] == [0, 0, 0])
    faults.fail(Faults.SYNCS | Faults.WRITES)
    found = victim("bad/file")
    expect(f"syncs and writes fail, reads do not: {found}", found[:3] == [errno.EIO, errno.EIO, 0])
    expect("files elsewhere are left alone", victim("file")[:3] == [0, 0, 0])
    expect("failures are counted", faults.failed() == 2)
    faults.fail(Faults.READS, errno.ENXIO)
    expect("reads fail with the error asked for", victim("bad/file")[:3] == [0, 0, errno.ENXIO])
    faults.stop_failing()
    faults.set_clock(86_400)
    found = victim("bad/file")
    expect(f"the wall clock jumps: {found}", found[:3] == [0, 0, 0] and 86_000 < found[3] - time.time() < 87_000)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    options = parser.parse_args()
    build = pathlib.Path(options.build or ROOT / "build/release").resolve()
    reasons = {"network": network.why_not(), "disk": disks.why_not()}
    with tempfile.TemporaryDirectory(prefix="tanist-tools-") as name:
        folder = pathlib.Path(name)
        check_shim(folder, build)
        if reasons["disk"] is None:
            check_disk(folder)
    if reasons["network"] is None:
        check_network(build)
    for what, reason in reasons.items():
        print(f"{what}: {'checked' if reason is None else 'left out: ' + reason}")
    return 77 if any(reasons.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
