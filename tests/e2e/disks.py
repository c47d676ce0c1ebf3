# SPDX-License-Identifier: Apache-2.0
"""A disk for each node: an ext4 of its own in a file, mounted by a loop device, that can lose its power, be filled up, and stall. And
a library, loaded into the node (tools/fault_shim.cpp), that lets calls on it fail and the wall clock jump."""
import errno, fcntl, mmap, os, pathlib, struct, subprocess, tempfile
from network import Unable

EXT4_IOC_SHUTDOWN = 0x8004587D  # nothing of this file system reaches the disk any more
NO_LOG_FLUSH = 2  # not even what lies in the journal's memory
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
MIB = 1 << 20
IMAGE_BYTES = 1536 * MIB  # sparse


def run(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if done.returncode != 0:
        raise Unable(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).strip()}")


def why_not():
    """Why there can be no such disks here; None: there can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    with tempfile.TemporaryDirectory(prefix="tanist-disk-") as folder:
        try:
            disk = Disk(pathlib.Path(folder) / "try.ext4", pathlib.Path(folder) / "try", 64 * MIB)
            disk.close()
        except (Unable, OSError) as error:
            return f"loop-mounted file systems are not allowed here: {error}"
    return None


class Disk:
    def __init__(self, image, mount_point, size=IMAGE_BYTES):
        self.image, self.path, self.is_mounted = image, mount_point, False
        with open(image, "wb") as f:
            f.truncate(size)
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=16", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", image)
        mount_point.mkdir()
        self.mount()

    def mount(self):
        run("mount", "-o", "loop,discard", self.image, self.path)
        self.is_mounted = True

    def unmount(self):
        if self.is_mounted:
            run("umount", self.path)
            self.is_mounted = False

    def close(self):
        if self.is_mounted and subprocess.run(["umount", self.path], capture_output=True).returncode != 0:
            subprocess.run(["umount", "-l", self.path], capture_output=True)
        self.is_mounted = False

    def ioctl(self, request, argument):
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, request, argument)
        finally:
            os.close(descriptor)

    def cut_power(self):
        """What was not flushed to the disk by now is lost; from now on each write and sync of it fails. Nothing of it can be read that
        lies only in memory: unmount() and mount() are what comes next, once its processes are gone."""
        self.ioctl(EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))

    def freeze(self):
        """Each write and sync waits, until thaw()."""
        self.ioctl(FIFREEZE, 0)

    def thaw(self):
        try:
            self.ioctl(FITHAW, 0)
        except OSError as error:
            if error.errno != errno.EINVAL:  # it was not frozen
                raise

    @property
    def ballast(self):
        return self.path / "ballast"

    def fill(self, leave):
        """A file takes all but `leave` bytes."""
        info = os.statvfs(self.path)
        free = info.f_bavail * info.f_frsize
        with open(self.ballast, "ab") as f:
            if free <= leave:
                return
            try:
                os.posix_fallocate(f.fileno(), os.fstat(f.fileno()).st_size, free - leave)
            except OSError as error:
                if error.errno != errno.ENOSPC:  # the node was faster, and has taken the rest
                    raise

    def make_room(self):
        """For good: a power cut does not bring back what was in the way."""
        self.ballast.unlink(missing_ok=True)
        self.sync()

    def sync(self):
        run("sync", "-f", self.path)


class Faults:
    """The controls of the library in one node."""

    SYNCS, WRITES, READS = 1, 2, 4
    LAYOUT = "<IIqQQ"

    def __init__(self, path, folder, library):
        if not library.exists():
            raise Unable(f"{library.name} is not in {library.parent}: build it first")
        self.path, self.folder, self.library = path, folder, library
        path.write_bytes(bytes(struct.calcsize(self.LAYOUT)))
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 0)

    def environment(self):
        return {"LD_PRELOAD": str(self.library), "TANIST_FAULTS": str(self.path), "TANIST_FAULTS_UNDER": str(self.folder)}

    def fail(self, kinds, error=errno.EIO):
        self.memory[4:8] = struct.pack("<I", error)
        self.memory[0:4] = struct.pack("<I", kinds)

    def stop_failing(self):
        self.memory[0:4] = bytes(4)

    def set_clock(self, offset_seconds):
        self.memory[8:16] = struct.pack("<q", int(offset_seconds * 1e9))

    def failed(self):
        return struct.unpack(self.LAYOUT, self.memory[:])[3]
