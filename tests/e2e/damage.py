# SPDX-License-Identifier: Apache-2.0
"""Nemeses that damage what a stopped node has on its disk. One node at a time, and the next only when it is whole again: what a majority
has lost is lost (S9)."""
import shutil, subprocess, time
from cluster import Failure, await_true

HEAD_BYTES = 8192  # of a segment: its two slots, a block of 4 KiB each, the first sector of which counts
SECTOR_BYTES = 512


def wipe_folder(folder):
    shutil.rmtree(folder, ignore_errors=True)


def newest_segment(node):
    segments = sorted((node.data / "wal").glob("*.wal"))
    if not segments:
        raise Failure(f"node {node.id} has no segment")
    return segments[-1]


def used_end(path):
    """The offset behind the last byte that is not zero."""
    return len(path.read_bytes().rstrip(b"\0"))


def flip_bit(path, begin, end, rng):
    """One bit within [begin, end)."""
    if begin >= end:
        return False
    at = rng.randrange(begin, end)
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ (1 << rng.randrange(8))]))
    return True


class Damage:
    """What NodeLane has of this kind; it brings cluster, random, target(), count(), lasts() and await_storage_fault()."""

    def damaged(self, how, what):
        node = self.target()
        node.kill()
        if how(node):
            self.count(f"{what}: bytes changed")
        node.start()
        self.await_repair(node)

    def await_repair(self, node, seconds=90):
        """Does by hand what an operator is told to: a hole that a healthy master does not settle is settled by a new epoch."""
        began = pressed = time.monotonic()

        def is_whole():
            nonlocal pressed
            if not node.running():
                raise AssertionError(f"node {node.id} has ended with code {node.process.returncode}, being repaired:\n{node.log_tail()}")
            status = self.cluster.status()
            state = next((n["state"] for n in status["nodes"] if n["id"] == node.id), None) if status else None
            if state == "in_doubt" and status["master"] is not None and time.monotonic() - pressed > 5:
                pressed = time.monotonic()
                self.cluster.tanist("--timeout", "5s", "switchover", check=False, timeout=30)
                self.count("in doubt: settled by hand")
            if state != "up":
                raise Failure(f"it is {state}, {status and [(n['id'], n['state'], n.get('why')) for n in status['nodes']]}")
            return True
        await_true(f"node {node.id} is whole again", is_whole, seconds, 0.1)
        return time.monotonic() - began

    def flip(self):
        self.damaged(lambda node: self.flip_in_log(node), "flip")

    def flip_in_log(self, node):
        path = newest_segment(node)
        return flip_bit(path, HEAD_BYTES, used_end(path), self.random)

    def tail_of(self, node):
        path = newest_segment(node)
        end = used_end(path)
        return path, self.random.randrange(max(HEAD_BYTES, end - 2000), end) if end > HEAD_BYTES else None, end

    def zero_tail(self, node):
        path, begin, end = self.tail_of(node)
        if begin is None:
            return False
        with open(path, "r+b") as f:
            f.seek(begin)
            f.write(bytes(end - begin))
        return True

    def cut_off_tail(self, node):
        path, begin, _ = self.tail_of(node)
        if begin is None:
            return False
        with open(path, "r+b") as f:
            f.truncate(begin)
        return True

    def tail(self):
        self.damaged(self.zero_tail, "tail")

    def cut_tail(self):
        self.damaged(self.cut_off_tail, "cut-tail")

    def lost_tail(self):
        """The end of what one node had fsynced is destroyed, and it starts with only those that had missed the last writes, while those
        that have them stay down: it must not vote or acknowledge as if it had never had them (S9)."""
        nodes = self.random.sample(self.cluster.nodes, len(self.cluster.nodes))
        few = (len(nodes) - 1) // 2
        behind, damaged, whole = nodes[:few], nodes[few], nodes[few + 1:]
        for node in behind:
            node.kill()
        self.lasts(0.5, 1.5)
        for node in [damaged, *whole]:
            node.kill()
        if self.zero_tail(damaged):
            self.count("lost-tail: bytes changed")
        for node in [*behind, damaged]:
            node.start()
        self.lasts(1.5, 4)
        for node in whole:
            node.start()
        for node in nodes:
            self.await_repair(node)

    def slot(self):
        """The log's mark: one of its two slots."""
        at = self.random.choice((0, HEAD_BYTES // 2))
        self.damaged(lambda node: flip_bit(newest_segment(node), at, at + SECTOR_BYTES, self.random), "slot")

    def vote(self):
        """One of the two vote files: the other one counts."""
        name = self.random.choice(("vote.a", "vote.b"))
        self.damaged(lambda node: flip_bit(node.data / name, 0, (node.data / name).stat().st_size, self.random), "vote")

    def table(self):
        """Blocks of the state store. Who meets a bad one ends with code 4 and gives its store up at the next start. Nobody need meet one
        soon; so that no second node is damaged before, the store is given up by hand then."""
        node = self.target()
        node.kill()
        tables = sorted((node.data / "store").rglob("*.sst"))
        for _ in range(self.random.randrange(1, 40) if tables else 0):
            path = self.random.choice(tables)
            self.count("table: bytes changed", flip_bit(path, 0, path.stat().st_size, self.random))
        node.start()
        self.lasts(1, 4)
        if node.running() and "the state store cannot be read and is given up" in node.log_tail():
            self.count("table: met at the start")
        elif node.running():
            node.kill()
            wipe_folder(node.data / "store")
            node.start()
        else:
            self.await_storage_fault(node)
            self.count("table: met")
            node.start()
        self.await_repair(node)

    # -- who lost its identity: stays out, whatever it says (S1, S2) -------------------------------------------------------------------
    def stays_out(self, node, spoil):
        """`spoil` makes the node another incarnation, which must count for nothing; then its old data is found again."""
        node.kill()
        saved = node.data.with_name("data-saved")
        spoil(saved)
        node.start()
        self.lasts(1, 3)
        if self.cluster.in_network(node.role) == "master":
            raise AssertionError(f"node {node.id} is master without what made it a member")
        if not node.running():
            raise AssertionError(f"node {node.id} ended with code {node.process.returncode} after it was wiped:\n{node.log_tail()}")
        node.kill()
        wipe_folder(node.data)
        saved.rename(node.data)
        if node.disk:
            node.disk.sync()  # a power cut may follow, and what was found again is old
        node.start()
        self.await_repair(node)

    def wipe(self):
        node = self.target()
        self.stays_out(node, lambda saved: node.data.rename(saved))

    def votes(self):
        """Both vote files."""
        node = self.target()

        def spoil(saved):
            subprocess.run(["cp", "-a", "--sparse=always", node.data, saved], check=True)
            for name in ("vote.a", "vote.b"):
                flip_bit(node.data / name, 0, (node.data / name).stat().st_size, self.random)
        self.stays_out(node, spoil)
