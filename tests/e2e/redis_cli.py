#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's redis-cli and redis-benchmark against a cluster, as people use them: hints and completion on a terminal, --stat, --latency,
--bigkeys, --memkeys, --scan, --pipe, MONITOR, SUBSCRIBE; then a benchmark that runs to its end on three nodes."""
import argparse, fcntl, os, pty, re, select, shutil, signal, struct, subprocess, sys, tempfile, termios, time

from cluster import Cluster, Failure, Resp, await_true

SKIPPED = 77

PROMPT = r"\d(\(TX\))?> "  # what is typed before it comes is thrown away by the line editor


class Terminal:
    """redis-cli on a terminal of its own, typed to and read from."""

    def __init__(self, port, *arguments):
        self.home = tempfile.mkdtemp(prefix="tanist-cli-")
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.environ.update({"TERM": "xterm-256color", "HOME": self.home})
            os.execvp("redis-cli", ["redis-cli", "-p", str(port), *arguments])
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self.unread = b""

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def expect(self, pattern, seconds=30.0):
        """Reads until it has come, and returns the match; what was before it is gone."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern.encode(), self.unread)
            if found:
                self.unread = self.unread[found.end():]
                return found
            ready = select.select([self.descriptor], [], [], max(0, deadline - time.monotonic()))[0]
            try:
                got = os.read(self.descriptor, 65536) if ready else b""
            except OSError:  # it has ended
                got = b""
            if not got:
                raise Failure(f"{pattern!r} has not come within {seconds} s; what has: {self.unread[-600:]!r}")
            self.unread += got

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.descriptor)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(port, *arguments, given=None, seconds=60):
    done = subprocess.run(["redis-cli", "-p", str(port), *arguments], input=given, capture_output=True, timeout=seconds)
    if done.returncode != 0:
        raise Failure(f"redis-cli {' '.join(arguments)}: exit {done.returncode}: {done.stdout[-400:]!r} {done.stderr[-400:]!r}")
    return done.stdout.decode()


def expect(what, condition):
    if not condition:
        raise Failure(what)


def hints(port):
    """They come from COMMAND DOCS, also for commands that Redis has not."""
    with Terminal(port) as cli:
        cli.expect("> ")
        for typed, hint in (("set ", r"key value \[NX ?\| ?XX\] \[GET\]"), ("config get", r"parameter \[parameter \.\.\.\]"), ("expire ", r"key seconds \[NX ?\| ?XX ?\| ?GT ?\| ?LT\]"),
                            ("tanist.cas ", "key .*old.* .*new"), ("latency histogram ", r"\[command \[command \.\.\.\]\]")):
            cli.type(typed)
            cli.expect(hint)
            cli.type("\x15")  # the line is given up
        cli.type("mge\t")
        cli.expect("MGET")
        cli.type("\x15set greeting \"hello there\"\r")
        cli.expect("OK\r\n")
        cli.expect(PROMPT)
        cli.type("get greeting\r")
        cli.expect('"hello there"\r\n')
        cli.expect(PROMPT)
        cli.type("help setex\r")
        cli.expect("summary:.* Set the value and expiration")
        cli.expect(PROMPT)
        cli.type("help @string\r")
        cli.expect("INCRBYFLOAT")
        cli.expect(PROMPT)
        cli.type("multi\r")
        cli.expect(r"\(TX\)> ")
        cli.type("incr n\r")
        cli.expect("QUEUED")
        cli.expect(PROMPT)
        cli.type("exec\r")
        cli.expect(r"1\) \(integer\) 1")
        cli.expect(PROMPT)
        cli.type("lpush list 1\r")
        cli.expect(r"\(error\) ERR unknown command 'lpush'")
        cli.expect(PROMPT)
        cli.type("subscribe news\r")
        cli.expect("Reading messages")
        with Resp(("127.0.0.1", port)) as speaker:
            await_true("redis-cli listens", lambda: speaker.call("PUBLISH", "news", "extra") == 1)
        cli.expect("extra")
    with Terminal(port, "-3") as cli:
        cli.expect("> ")
        cli.type("hello\r")
        cli.expect(r'1# "server" => "redis"')
        cli.expect(PROMPT)
        cli.type("config get appendonly\r")
        cli.expect(r'1# "appendonly" => "yes"')


def views(port):
    """What redis-cli shows on and on, until it is stopped."""
    with Terminal(port, "--stat", "-i", "0.1") as cli:
        cli.expect("keys +mem +clients +blocked +requests +connections")
        keys = cli.expect(r"\r\n(\d+) +[\d.]+[KMG]? +\d+ +\d+ +\d+ \(\+\d+\) +\d+").group(1)
        with Resp(("127.0.0.1", port)) as client:
            expect(f"--stat tells {keys} keys", int(keys) == client.call("DBSIZE"))
        cli.expect(r"\(\+\d+\)")
    with Terminal(port, "--latency") as cli:
        cli.expect(r"min: \d+, max: \d+, avg: [\d.]+ \(\d+ samples\)")
    with Terminal(port, "monitor") as cli:
        cli.expect("OK\r\n")
        with Resp(("127.0.0.1", port)) as client:
            client.call("SET", "seen", "by monitor")
        cli.expect(r'\[0 127.0.0.1:\d+\] "SET" "seen" "by monitor"')
    expect("--latency, not on a terminal", re.match(r"\d+ \d+ [\d.]+ \d+", run(port, "--latency", "-i", "0.3")))
    with Terminal(port, "--latency-history", "-i", "0.3") as cli:
        cli.expect(r"-- 0\.\d+ seconds range")


def keys(port):
    """Many keys, put in by --pipe and found by all that walks over them."""
    expect("FLUSHALL", run(port, "FLUSHALL") == "OK\n")
    many = b"".join(Resp.encode(["SET", f"key:{i}", "v" * (i % 100)]) for i in range(20_000))
    told = run(port, "--pipe", given=many + Resp.encode(["SET", "big", "x" * 300_000]) + b"SET inline 1\r\n")
    expect(f"--pipe: {told!r}", re.search(r"errors: 0, replies: 20002", told))
    try:
        run(port, "--pipe", given=Resp.encode(["INCR", "big"]) + Resp.encode(["GET", "inline"]))
        raise Failure("--pipe: an error is not told")
    except Failure as failure:
        expect(f"--pipe with an error: {failure}", "errors: 1" in str(failure))
    expect("DBSIZE", run(port, "DBSIZE") == "20002\n")
    expect("--scan", len(set(run(port, "--scan").split())) == 20_002)
    expect("--scan --pattern", set(run(port, "--scan", "--pattern", "key:1999?").split()) == {f"key:1999{i}" for i in range(10)})
    told = run(port, "--bigkeys")
    expect(f"--bigkeys: {told[-600:]}", "Sampled 20002 keys" in told and re.search(r'Biggest string found .*big.* has 300000 bytes', told))
    told = run(port, "--memkeys")
    expect(f"--memkeys: {told[-600:]}", "Sampled 20002 keys" in told and re.search(r'Biggest string found .*big.* has \d+ bytes', told))
    expect("-x", run(port, "-x", "SET", "from-stdin", given=b"a\x00b") == "OK\n" and run(port, "STRLEN", "from-stdin") == "3\n")
    expect("--csv", run(port, "--csv", "MGET", "inline", "none") == '"1",NULL\n')
    expect("--json", run(port, "--json", "CONFIG", "GET", "appendonly") == '{"appendonly":"yes"}\n')
    expect("-r", run(port, "-r", "3", "INCR", "counter") == "1\n2\n3\n")


def benchmark(port, requests):
    """To the end, and every reply is what it must be: redis-benchmark stops at an error."""
    done = subprocess.run(["redis-benchmark", "-p", str(port), "-t", "ping,set,get,incr,mset", "-P", "16", "-n", str(requests), "-r", "10000", "-c", "20", "--csv"],
                          capture_output=True, text=True, timeout=200)
    lines = [line.split(",") for line in done.stdout.replace('"', "").splitlines() if not line.startswith("test,")]
    names = [line[0] for line in lines]
    expect(f"redis-benchmark: exit {done.returncode}, {done.stdout[-300:]} {done.stderr[-300:]}",
           done.returncode == 0 and names == ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"])
    print("redis-benchmark -P 16: " + ", ".join(f"{line[0]} {float(line[1]):.0f}/s" for line in lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build")
    parser.add_argument("--requests", type=int, default=20_000, help="of each kind, of redis-benchmark")
    options = parser.parse_args()
    if shutil.which("redis-cli") is None or shutil.which("redis-benchmark") is None:
        print("skipped: redis-cli and redis-benchmark are missing (Debian: redis-tools)")
        return SKIPPED
    with Cluster(3, build=options.build) as cluster:
        cluster.start()
        port = cluster.master().client
        for story in (hints, keys, views):
            story(port)
            print(f"{story.__name__}: as expected", flush=True)
        benchmark(port, options.requests)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
