#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Redis as the oracle: the same random commands go to Debian's redis-server and to one tanistd, and every reply is compared byte for byte,
in RESP2 and RESP3, pipelined, from two connections with MULTI and WATCH. The first difference ends the run, with the seed and the
commands that led to it. INTENDED lists where the two may differ, and how such replies are compared instead."""
import argparse, collections, pathlib, random, shutil, subprocess, sys, tempfile

from cluster import Cluster, Failure, await_true, free_ports
from redis_watchers import notification_story, redirect_story, tracking_story
from redis_stories import (Connection, acl_story, counts_story, elements, ending_story, expiry_story, facts_story, inline_story,
                           protocol_error_story, pubsub_story, scan_story)

KEYS = [b"a", b"b", b"c", b"key:1", b"key:2", b"k[x]", b"", b"\xff\x00z"]
WORDS = [b"", b"0", b"1", b"-1", b"10", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"01", b"-0", b" 1", b"1 ",
         b"+1", b"3.5", b"-3.25e2", b"1e3", b"nan", b"inf", b"-inf", b"0x10", b"abc", b"ohmytext", b"mynewtext", b"\x00\xff\x0f", b"\xff" * 9,
         b"x" * 45, b"y" * 44, b"1.10", b"5e-324", b"1e4000", b"123456789012345678901", b"99999999999999999"]
INTEGERS = [b"0", b"1", b"-1", b"2", b"5", b"7", b"8", b"-3", b"100", b"-100", b"16777216", b"134217727", b"134217728", b"9223372036854775807",
            b"-9223372036854775808", b"9223372036854775808", b"x", b"", b"1.5"]
# Far enough away that no key falls due within a run, or long ago; short ones are the story of expiry() alone.
TIMES = [b"100", b"1000", b"100000", b"0", b"-1", b"-100", b"x", b"", b"9223372036854775807", b"9223372036854775", b"-9223372036854775808"]
FAR = [b"4102444800", b"4102444801", b"4202444800", b"1", b"0", b"-5", b"x"]
FAR_MS = [b"4102444800000", b"4102444800001", b"4202444800000", b"1", b"0", b"-5", b"9223372036854775807"]
PATTERNS = [b"*", b"k*", b"key:?", b"[a-b]", b"[^a]", b"k\\[x\\]", b"k[[]x]", b"", b"?", b"*:*", b"[b-a]", b"[a", b"a*a", b"\\", b"[", b"[^", b"k[x]"]


def exact(theirs, ours):
    return theirs == ours


def sorted_lines(reply):
    return sorted(reply.split(b"\r\n"))


def any_order(theirs, ours):
    return sorted_lines(theirs) == sorted_lines(ours)


def same_kind(theirs, ours):
    return theirs[:1] == ours[:1] and (theirs == ours or (theirs[:3] not in (b"$-1", b"_\r\n") and ours[:3] not in (b"$-1", b"_\r\n")))


def at_most(theirs, ours):
    return theirs[:1] == ours[:1] == b":" and int(ours[1:]) <= int(theirs[1:]) <= int(ours[1:]) + len(KEYS)


def near(tolerance):
    def compare(theirs, ours):
        if theirs == ours:
            return True
        if theirs[:1] != b":" or ours[:1] != b":":
            return False
        a, b = int(theirs[1:]), int(ours[1:])
        return min(a, b) > 0 and abs(a - b) <= tolerance
    return compare


# By name, or name and subcommand: the reply may differ so.
INTENDED = {
    b"KEYS": any_order,                # ours come in the order of the keys
    b"RANDOMKEY": same_kind,           # random
    b"DBSIZE": at_most,                # Redis counts keys that have expired and were not looked at since
    b"TTL": near(10), b"PTTL": near(10_000),
    b"EXPIRETIME": near(10), b"PEXPIRETIME": near(10_000),
    b"OBJECT ENCODING": same_kind,     # ours goes by the value alone, theirs also by how it came about
    b"OBJECT REFCOUNT": same_kind,     # Redis shares small integers
    b"OBJECT IDLETIME": same_kind,     # nothing is evicted here, so nothing is noted of when a key was read
    b"COMMAND LIST": any_order,
    b"MEMORY USAGE": lambda theirs, ours: same_kind(theirs, ours) or ours in (b"$-1\r\n", b"_\r\n"),  # Redis's sees expired keys, too
}
# And one of meaning: a key that was not there when it was watched, and is not there at EXEC, counts as unchanged here, also when it came
# and went in between. See Oracle.watched_absent.


class Draw:
    """Random commands: mostly well formed, some not."""

    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)

    def of(self, *choices):
        return self.random.choice(choices)

    def key(self):
        return self.random.choice(KEYS)

    def word(self):
        return self.random.choice(WORDS) if self.random.random() < 0.8 else self.random.randbytes(self.random.randrange(40))

    def value(self):
        return self.word() if self.random.random() < 0.7 else str(self.random.randrange(-1000, 1000)).encode()

    def integer(self):
        return self.random.choice(INTEGERS) if self.random.random() < 0.5 else str(self.random.randrange(-20, 60)).encode()

    def cased(self, word):
        return self.of(word, word.lower(), word.title())

    def time_option(self):
        name = self.of(b"EX", b"PX", b"EXAT", b"PXAT")
        return [self.cased(name), self.random.choice({b"EX": TIMES, b"PX": [b"100000", b"1000000"] + TIMES[3:], b"EXAT": FAR, b"PXAT": FAR_MS}[name])]

    def set_options(self):
        options = []
        for _ in range(self.of(0, 0, 0, 1, 1, 2, 3)):
            options += self.of([self.cased(b"NX")], [self.cased(b"XX")], [b"GET"], [b"KEEPTTL"], self.time_option(), self.time_option(), [b"WRONG"], [b"EX"], [b"PERSIST"])
        return options

    def bit_range(self):
        words = [[], [self.integer()], [self.integer(), self.integer()], [self.integer(), self.integer(), self.of(b"BIT", b"byte", b"BYTE", b"x")]]
        return self.random.choice(words + words[2:])

    def bitfield(self):
        words = []
        for _ in range(self.of(0, 1, 1, 2, 3)):
            kind = self.of(b"i5", b"u8", b"i8", b"u4", b"i64", b"u63", b"u64", b"i65", b"u0", b"x", b"i16", b"u1", b"i1")
            offset = self.of(b"0", b"#1", b"7", b"100", b"#0", b"#3", b"-1", b"x", self.integer())
            if offset in (b"16777216", b"134217727"):
                offset = b"9"  # megabytes of zeros would slow the run down
            words += self.of([b"GET", kind, offset], [b"SET", kind, offset, self.integer()], [b"INCRBY", kind, offset, self.integer()],
                             [b"OVERFLOW", self.of(b"WRAP", b"SAT", b"fail", b"x")], [b"get", kind, offset], [b"SET", kind, offset])
        return words

    def offset(self):
        return self.of(b"0", b"1", b"5", b"20", b"-1", b"x", b"40", b"16777215", b"16777216", b"9223372036854775807") if self.random.random() < 0.1 else \
            str(self.random.randrange(0, 60)).encode()

    def bit_offset(self):
        return self.of(b"134217728", b"-1", b"x", b"4294967296", b"") if self.random.random() < 0.1 else str(self.random.randrange(0, 300)).encode()

    def expire(self, name):
        times = FAR if name == b"EXPIREAT" else FAR_MS if name == b"PEXPIREAT" else TIMES if name == b"EXPIRE" else [b"100000", b"1000000"] + TIMES[3:]
        options = [self.cased(self.of(b"NX", b"XX", b"GT", b"LT", b"ZZ")) for _ in range(self.of(0, 0, 0, 1, 1, 2))]
        return [name, self.key(), self.random.choice(times)] + options

    def data(self):
        r, k, v, i = self.random, self.key, self.value, self.integer
        many = lambda: [k() for _ in range(r.randrange(1, 5))]
        pairs = lambda: [w for _ in range(r.randrange(1, 4)) for w in (k(), v())]
        choice = r.choice([
            lambda: [b"SET", k(), v()] + self.set_options(), lambda: [b"SET", k(), v()], lambda: [b"GET", k()], lambda: [b"GETSET", k(), v()],
            lambda: [b"GETDEL", k()], lambda: [b"GETEX", k()] + self.of([], [b"PERSIST"], self.time_option(), [b"PERSIST", b"EX", b"5"], [b"NX"], [b"EX"]),
            lambda: [b"SETNX", k(), v()], lambda: [b"SETEX", k(), r.choice(TIMES), v()], lambda: [b"PSETEX", k(), r.choice([b"100000"] + TIMES[3:]), v()],
            lambda: [b"MGET"] + many(), lambda: [b"MSET"] + pairs(), lambda: [b"MSETNX"] + pairs(), lambda: [b"MSET"] + pairs() + [k()],
            lambda: [b"APPEND", k(), v()], lambda: [b"STRLEN", k()], lambda: [b"GETRANGE", k(), i(), i()], lambda: [b"SUBSTR", k(), i(), i()],
            lambda: [b"SETRANGE", k(), self.offset(), v()] if r.random() < 0.5 else [b"SETRANGE", k(), str(r.randrange(50)).encode(), v()],
            lambda: [b"INCR", k()], lambda: [b"DECR", k()], lambda: [b"INCRBY", k(), i()], lambda: [b"DECRBY", k(), i()], lambda: [b"INCRBYFLOAT", k(), v()],
            lambda: [b"LCS", k(), k()] + self.of([], [b"LEN"], [b"IDX"], [b"idx", b"WITHMATCHLEN"], [b"IDX", b"MINMATCHLEN", i()], [b"LEN", b"IDX"], [b"x"]),
            lambda: [b"GETBIT", k(), self.bit_offset()], lambda: [b"SETBIT", k(), self.bit_offset(), self.of(b"0", b"1", b"1", b"2", b"x")],
            lambda: [b"BITCOUNT", k()] + self.bit_range(), lambda: [b"BITPOS", k(), self.of(b"0", b"1", b"1", b"2", b"x")] + self.bit_range(),
            lambda: [b"BITOP", self.of(b"AND", b"or", b"XOR", b"NOT", b"x"), k()] + many(), lambda: [b"BITOP", b"NOT", k(), k()],
            lambda: [b"BITFIELD", k()] + self.bitfield(), lambda: [b"BITFIELD_RO", k()] + self.bitfield(),
            lambda: [b"DEL"] + many(), lambda: [b"UNLINK", k()], lambda: [b"EXISTS"] + many(), lambda: [b"TYPE", k()], lambda: [b"TOUCH"] + many(),
            lambda: [b"RENAME", k(), k()], lambda: [b"RENAMENX", k(), k()],
            lambda: [b"COPY", k(), k()] + self.of([], [b"REPLACE"], [b"DB", b"0"], [b"DB", b"1"], [b"DB", b"x"], [b"x"], [b"DB", b"0", b"REPLACE"]),
            lambda: [b"KEYS", r.choice(PATTERNS)], lambda: [b"RANDOMKEY"], lambda: [b"DBSIZE"],
            lambda: [b"SCAN", b"0", b"COUNT", b"1000"] + self.of([], [b"TYPE", b"string"], [b"TYPE", b"list"], [b"MATCH", r.choice(PATTERNS)]),
            lambda: [b"SCAN", self.of(b"x", b"0", b"-", b" 0")] + self.of([b"COUNT", b"0"], [b"COUNT", b"x"], [b"MATCH"], [b"X", b"y"]),
            lambda: self.expire(self.of(b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT")), lambda: self.expire(b"EXPIRE"),
            lambda: [b"TTL", k()], lambda: [b"PTTL", k()], lambda: [b"EXPIRETIME", k()], lambda: [b"PEXPIRETIME", k()], lambda: [b"PERSIST", k()],
            lambda: [b"OBJECT", self.of(b"ENCODING", b"refcount", b"IDLETIME", b"FREQ"), k()],
            lambda: [b"MSETNX"] + pairs() + [k()], lambda: [b"LCS", k(), k(), b"IDX", b"MINMATCHLEN", i(), b"WITHMATCHLEN"],
            lambda: [b"GETEX", k()] + self.time_option() + self.of([], [b"PERSIST"], self.time_option()),
            lambda: [b"BITPOS", k(), self.of(b"0", b"1"), i(), i(), self.of(b"BIT", b"BYTE")],
            lambda: [b"OBJECT", self.of(b"HELP", b"x", b"ENCODING")] + self.of([], [k(), k()]), lambda: [b"MEMORY", b"USAGE", k()],
        ])
        command = choice()
        if r.random() < 0.02:  # not so many words
            command = command[:-1] or command
        elif r.random() < 0.02:
            command = command + [self.word()]
        if r.random() < 0.2:
            command = [self.cased(command[0])] + command[1:]
        return command

    def connection(self):
        """What is asked beside data, as far as two servers with different insides answer the same."""
        r, w = self.random, self.word
        choice = r.choice([
            lambda: [b"PING"] + self.of([], [w()], [w(), w()]), lambda: [b"ECHO"] + self.of([], [w()], [w(), w()]),
            lambda: [b"SELECT", self.of(b"0", b"1", b"-1", b"x", b"99999999999999999999")],
            lambda: [b"CLIENT"] + self.of([], [b"x"], [b"GETNAME"], [b"getname", b"x"], [b"SETNAME", self.of(b"me", b"", b"a b", b"\n")], [b"SETNAME"],
                                          [b"REPLY", b"x"], [b"REPLY", b"ON"], [b"NO-EVICT", self.of(b"on", b"OFF", b"x")], [b"ID", b"x"], [b"UNPAUSE"], [b"TRACKING", b"off"]),
            lambda: [b"CLIENT", b"KILL"] + self.of([b"x"], [b"ID", b"0"], [b"ID", b"x"], [b"TYPE", b"x"], [b"ADDR"], [b"ID", b"999999999"], [b"LADDR", b"1.2.3.4:5"],
                                                  [b"USER", b"nobody"], [b"SKIPME", b"x"], [b"ID", b"99999999", b"TYPE", b"normal"], []),
            lambda: [b"CLIENT", b"LIST"] + self.of([b"TYPE", b"x"], [b"ID", b"x"], [b"x"], [b"TYPE"], [b"ID", b"999999999"], [b"TYPE", b"replica"]),
            lambda: [b"CLIENT", b"UNBLOCK"] + self.of([b"x"], [b"999999999"], [b"999999999", b"x"], [b"999999999", b"error"], [], [b"1", b"TIMEOUT", b"x"]),
            lambda: [b"CLIENT", b"PAUSE"] + self.of([b"x"], [b"-1"], [b"0", b"x"], [b"0", b"WRITE"], [b"0"], []),
            lambda: [b"AUTH"] + self.of([w()], [b"default", w()], [b"nobody", w()], [], [w(), w(), w()]),
            lambda: [b"HELLO"] + self.of([b"x"], [b"4"], [b"1"], [b"2", b"AUTH"], [b"3", b"AUTH", b"nobody", b"x"], [b"2", b"x"], [b"3", b"SETNAME", b"a b"]),
            lambda: [b"CONFIG"] + self.of([], [b"x"], [b"GET"], [b"GET", b"maxmemory"], [b"get", b"databases", b"appendfsynx"], [b"SET"], [b"SET", b"nosuch", b"1"],
                                          [b"SET", b"slowlog-max-len", b"x"], [b"SET", b"slowlog-max-len", b"128", b"slowlog-max-len", b"128"], [b"SET", b"port"],
                                          [b"RESETSTAT"], [b"RESETSTAT", b"x"], [b"SET", b"slowlog-max-len", b"128"]),
            lambda: [b"SLOWLOG"] + self.of([], [b"x"], [b"GET", b"x"], [b"GET", b"-2"], [b"GET", b"0"], [b"RESET"], [b"LEN", b"x"], [b"GET", b"1", b"2"]),
            lambda: [b"LATENCY"] + self.of([], [b"x"], [b"HISTORY"], [b"HISTORY", b"none"], [b"RESET"], [b"RESET", b"none"], [b"LATEST"], [b"GRAPH", b"none"], [b"HELP", b"x"],
                                           [b"HISTOGRAM", b"nosuch"]),
            lambda: [b"MEMORY"] + self.of([], [b"x"], [b"USAGE"], [b"USAGE", b"none", b"SAMPLES"], [b"USAGE", b"none", b"SAMPLES", b"x"], [b"USAGE", b"none", b"x", b"1"], [b"PURGE"],
                                          [b"USAGE", b"none", b"SAMPLES", b"-1"]),
            lambda: [b"WAIT"] + self.of([b"x", b"0"], [b"0", b"x"], [b"0", b"-1"], [b"0", b"0"], [b"1", b"1"], [b"0"]),
            lambda: [self.of(b"TIME", b"DBSIZE", b"ROLE", b"LASTSAVE", b"MULTI", b"SAVE", b"RANDOMKEY", b"UNWATCH", b"DISCARD", b"RESET", b"MONITOR", b"READONLY"), b"x"],
            lambda: [b"BGSAVE", b"x"], lambda: [b"READONLY"], lambda: [b"CLUSTER", b"INFO"], lambda: [b"INFO", b"nosuch"],
            lambda: [b"COMMAND"] + self.of([b"x"], [b"COUNT", b"x"], [b"GETKEYS"], [b"GETKEYS", b"get"], [b"GETKEYS", b"x"], [b"GETKEYS", b"PING"], [b"GETKEYS", b"mset", b"a", b"1", b"b", b"2"],
                                           [b"GETKEYS", b"BITOP", b"AND", b"d", b"a", b"b"], [b"GETKEYS", b"memory", b"usage", b"k"], [b"INFO", b"nosuch"],
                                           [b"GETKEYSANDFLAGS"], [b"LIST", b"x"], [b"LIST", b"FILTERBY", b"x", b"y"], [b"LIST", b"FILTERBY", b"MODULE", b"x"],
                                           [b"LIST", b"FILTERBY", b"PATTERN", b"se[t]*x"], [b"DOCS", b"nosuch"]),
            lambda: [b"PUBLISH"] + self.of([b"c"], [b"c", w()], []), lambda: [b"PUBSUB"] + self.of([], [b"x"], [b"NUMSUB"], [b"NUMSUB", b"a", b"b"], [b"NUMPAT"], [b"NUMPAT", b"x"],
                                                                                                 [b"CHANNELS"], [b"CHANNELS", b"a", b"b"],
                                                                                                 [b"SHARDCHANNELS"], [b"SHARDNUMSUB"], [b"SHARDNUMSUB", w()]),
            lambda: [b"MOVE", self.key()] + self.of([b"0"], [b"1"], [b"x"], []), lambda: [b"SWAPDB"] + self.of([b"0", b"0"], [b"0", b"1"], [b"x", b"0"], [b"0", b"x"], [b"0"]),
            lambda: [b"SPUBLISH"] + self.of([b"c"], [b"c", w()]), lambda: [b"ASKING"], lambda: [b"READWRITE"],
            lambda: [b"CLIENT"] + self.of([b"TRACKINGINFO"], [b"CACHING", self.of(b"YES", b"no", b"x")], [b"CACHING"], [b"TRACKING", b"x"], [b"TRACKING", b"off"], [b"GETREDIR"]),
            lambda: [b"DEBUG"] + self.of([], [b"x"], [b"JMAP"], [b"OBJECT", b"none"], [b"PROTOCOL", self.of(b"string", b"integer", b"double", b"bignum", b"null", b"array", b"set", b"map",
                                                                                                      b"verbatim", b"true", b"false")]),
            lambda: [b"CONFIG", b"GET"] + self.of([b"databases"], [b"SAVE"], [b"maxmemory"], [b"lazyfree-lazy-expire"], [b"latency-tracking"], [b"acl-pubsub-default"],
                                                  [b"latency-tracking-info-percentiles"], [b"requirepass"], [b"nosuch*"], [b"slave-read-only"]),
            lambda: [b"CONFIG", b"SET"] + self.of([b"latency-tracking", b"yes"], [b"latency-tracking", b"x"], [b"latency-tracking-info-percentiles", b"50 x"], [b"loglevel", b"x"],
                                                  [b"latency-tracking-info-percentiles", b"50 99 99.9"]),
            lambda: [self.of(b"SUBSCRIBE", b"PSUBSCRIBE")], lambda: [b"ACL"] + self.of([], [b"x"], [b"WHOAMI"], [b"WHOAMI", b"x"], [b"CAT", b"x"], [b"GETUSER", b"nobody"], [b"DELUSER", b"nobody"], [b"GENPASS", b"x"], [b"GENPASS", b"0"]),
            lambda: [b"OBJECT"] + self.of([], [b"x"], [b"ENCODING"], [b"HELP", b"x"]), lambda: [self.of(b"config|get", b"client|id", b"GET|"), b"x"],
            lambda: [b"SHUTDOWN", b"x"], lambda: [b"EVALX", w(), w()], lambda: [w()],
        ])
        return choice()

    def command(self):
        if self.random.random() < 0.004:
            return self.of([b"FLUSHALL"], [b"FLUSHDB", b"ASYNC"], [b"FLUSHALL", b"x"], [b"FLUSHDB", b"SYNC", b"SYNC"])
        if self.random.random() < 0.03:
            return self.of([b"MULTI"], [b"EXEC"], [b"DISCARD"], [b"UNWATCH"], [b"EXEC", b"x"], [b"NOSUCH", b"a", b"b"], [b"PING"], [b"ECHO", self.word()],
                           [b"SELECT", b"0"], [b"LPUSH1", b"x"], [b"WATCH"] + [self.key() for _ in range(self.of(1, 2))])
        return self.data()

    def transaction(self):
        commands = [[b"WATCH"] + [self.key() for _ in range(self.of(1, 1, 2))]] if self.random.random() < 0.4 else []
        commands += [[b"MULTI"]] + [self.command() if self.random.random() < 0.1 else self.data() for _ in range(self.random.randrange(6))]
        return commands + [self.of([b"EXEC"], [b"EXEC"], [b"EXEC"], [b"DISCARD"])]


def name_of(words):
    name = words[0].upper()
    return name + b" " + words[1].upper() if name in (b"OBJECT", b"MEMORY", b"COMMAND") and len(words) > 1 else name


class Oracle:
    def __init__(self, redis_port, tanist_port, seed, pipeline):
        self.seed, self.draw, self.pipeline = seed, Draw(seed), pipeline
        self.pairs = [(Connection(redis_port, version), Connection(tanist_port, version)) for version in (2, 3)]
        self.queued = [[], []]     # of each connection's open transaction
        self.is_open = [False, False]
        self.watched_absent = [False, False]
        self.reset, self.resets = False, 0
        self.side = [Connection(port, 2) for port in (redis_port, tanist_port)]  # for what is none of the two's doing
        self.history = collections.deque(maxlen=400)
        self.count = 0

    def run(self, commands):
        while self.count < commands:
            at = self.draw.random.randrange(2)
            kind = self.draw.random.random()
            if kind < 0.1:
                batch = self.draw.transaction()
            elif kind < 0.2 and not self.is_open[at]:  # within MULTI more is refused here
                batch = [self.draw.connection() for _ in range(self.draw.random.randrange(1, self.pipeline))]
            else:
                batch = [self.draw.command() for _ in range(self.draw.random.randrange(1, self.pipeline))]
            self.step(at, batch)

    def step(self, at, batch):
        """Before a WATCH it is asked which of its keys are there."""
        start = 0
        for i, words in enumerate(batch):
            if words[0] == b"WATCH":
                self.send(at, batch[start:i])
                found = self.side[0].call([b"EXISTS"] + words[1:])
                self.watched_absent[at] |= found != b":%d\r\n" % (len(words) - 1)
                start = i
        self.send(at, batch[start:])

    def send(self, at, batch):
        theirs, ours = self.pairs[at]
        theirs.send(batch)
        ours.send(batch)
        for words in batch:
            self.history.append((at, words))
            a = theirs.read()
            b = ours.read()
            self.count += 1
            if not self.same(at, words, a, b):
                self.explain(at, words, a, b)
        if self.reset:
            self.reset = False
            self.resets += 1
            for connection in self.side:
                connection.call([b"FLUSHALL"])

    def same(self, at, words, a, b):
        name = words[0].upper()
        if name in (b"MULTI", b"EXEC", b"DISCARD") and (name == b"EXEC" or a == b"+OK\r\n"):
            self.is_open[at] = name == b"MULTI"
        if name == b"EXEC" and not a.startswith(b"-ERR"):
            queued, self.queued[at] = self.queued[at], []
            absent, self.watched_absent[at] = self.watched_absent[at], False
            if absent and a in (b"*-1\r\n", b"_\r\n") and b[:1] == b"*":
                self.reset = True  # the transaction has happened on one side: begin anew
                return True
            if a[:1] == b"*" and b[:1] == b"*" and a[:3] != b"*-1" and b[:3] != b"*-1":
                xs, ys = elements(a), elements(b)
                return len(xs) == len(ys) == len(queued) and all(self.alike(q, x, y) for q, x, y in zip(queued, xs, ys))
            return a == b
        if name == b"DISCARD" and a == b"+OK\r\n":
            self.queued[at], self.watched_absent[at] = [], False
        if a == b"+QUEUED\r\n":
            self.queued[at].append(words)
            return a == b
        return self.alike(words, a, b)

    @staticmethod
    def alike(words, a, b):
        if a == b:
            return True
        if a[:1] == b"-" or b[:1] == b"-":
            return False
        if words[0].upper() == b"SCAN":
            if b.startswith(b"*2\r\n$1\r\n0\r\n"):
                return any_order(a, b)
            return set(elements(elements(b)[1])) <= set(elements(elements(a)[1]))  # large values make a page of ours full earlier
        return INTENDED.get(name_of(words), exact)(a, b)

    def explain(self, at, words, a, b):
        print(f"--- the last commands of seed {self.seed}, by connection (RESP{at + 2} last) ---")
        for number, command in list(self.history)[-60:]:
            print(number + 2, " ".join(repr(w)[1:] for w in command))
        raise Failure(f"seed {self.seed}, command {self.count}: {words!r}\n  redis:  {a[:600]!r}\n  tanist: {b[:600]!r}")


def start_redis(folder, port):
    log = open(folder / "redis.log", "ab")
    return subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--databases", "1",
                             "--proto-max-bulk-len", "16mb", "--enable-debug-command", "yes", "--dir", str(folder)], stdout=log, stderr=log)


def answers(port):
    try:
        return Connection(port, 2).call([b"PING"]) == b"+PONG\r\n"
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=None)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each further one adds 1")
    parser.add_argument("--commands", type=int, default=20_000, help="of all runs together")
    parser.add_argument("--per-seed", type=int, default=5_000)
    parser.add_argument("--pipeline", type=int, default=20)
    options = parser.parse_args()
    if shutil.which("redis-server") is None:
        print("redis-server is not installed: skipped")
        return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tanist-oracle-"))
    redis = None
    try:
        with Cluster(1, build=options.build) as cluster:
            redis_port = free_ports(1)[0]
            redis = start_redis(folder, redis_port)
            cluster.start()
            await_true("redis-server answers", lambda: answers(redis_port), 30)
            tanist_port = cluster.nodes[0].client
            done, seed = 0, options.seed
            while done < options.commands:
                for port in (redis_port, tanist_port):
                    Connection(port, 2).call([b"FLUSHALL"])
                print(f"seed {seed}: --seed {seed} --commands {options.per_seed}", flush=True)
                run = Oracle(redis_port, tanist_port, seed, options.pipeline)
                run.run(min(options.per_seed, options.commands - done))
                done, seed = done + run.count, seed + 1
            both = Connection(redis_port, 2), Connection(tanist_port, 2)
            scan_story(*both)
            expiry_story(*both)
            inline_story(redis_port, tanist_port, options.seed)
            protocol_error_story(redis_port, tanist_port)
            pubsub_story(redis_port, tanist_port, options.seed)
            facts_story(redis_port, tanist_port)
            counts_story(redis_port, tanist_port, Draw(options.seed))
            acl_story(redis_port, tanist_port, options.seed)
            notification_story(redis_port, tanist_port, options.seed)
            tracking_story(redis_port, tanist_port, options.seed)
            redirect_story(redis_port, tanist_port, options.seed)
            ending_story(redis_port, tanist_port)
            print(f"{done} commands without a difference")
            return 0
    finally:
        if redis is not None:
            redis.kill()
            redis.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
