# SPDX-License-Identifier: Apache-2.0
"""What random commands do not reach, told to redis-server and to tanistd, and compared: cursors, short lives, inline commands, protocol
errors, publish and subscribe, the end of connections, what COMMAND tells, what INFO counts, the rules of users."""
import io, random, re, socket

from cluster import Failure, await_true


class Connection:
    """Raw replies: each whole, as it came."""

    def __init__(self, port, version):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb", buffering=1 << 16)
        if version == 3:
            self.call([b"HELLO", b"3"])

    @staticmethod
    def encode(words):
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

    def read(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("connection closed")
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=" and rest != b"-1":
            data = self.stream.read(int(rest) + 2)
            return line + data
        if kind in b"*~>%" and rest != b"-1":
            return line + b"".join(self.read() for _ in range(int(rest) * (2 if kind == b"%" else 1)))
        return line

    def send(self, commands):
        self.socket.sendall(b"".join(self.encode(c) for c in commands))

    def call(self, words):
        self.send([words])
        return self.read()

    def rest(self):
        """Everything until the other side closes."""
        self.socket.shutdown(socket.SHUT_WR)
        return self.stream.read()


def elements(reply):
    """Of an array's reply, as they came."""
    head, rest = reply.split(b"\r\n", 1)
    found = []
    for _ in range(int(head[1:])):
        reader = Connection.__new__(Connection)
        reader.stream = io.BytesIO(rest)
        element = reader.read()
        found.append(element)
        rest = rest[len(element):]
    return found


def scan_story(redis, tanist):
    """SCAN with its cursor to the end finds every key, however the keys are cut into pages."""
    commands = [[b"FLUSHALL"]] + [[b"SET", b"scan:%d" % i, b"v"] for i in range(500)]
    for connection in (redis, tanist):
        connection.send(commands)
        for _ in commands:
            connection.read()
        cursor, found = b"0", set()
        for _ in range(1000):
            head, page = elements(connection.call([b"SCAN", cursor, b"MATCH", b"scan:*", b"COUNT", b"7"]))
            cursor = head.split(b"\r\n")[1]
            found.update(e.split(b"\r\n")[1] for e in elements(page))
            if cursor == b"0":
                break
        if found != {b"scan:%d" % i for i in range(500)}:
            raise Failure(f"SCAN found {len(found)} of 500 keys")


def expiry_story(redis, tanist):
    """Keys with a short life are gone after it, for reads and for writes, and are not there before it is over by mistake."""
    commands = [[b"FLUSHALL"], [b"SET", b"short", b"1", b"PX", b"300"], [b"SET", b"kept", b"1", b"EX", b"100"], [b"SET", b"other", b"1"],
                [b"PEXPIRE", b"other", b"300"], [b"SETEX", b"second", b"1", b"x"], [b"EXISTS", b"short", b"kept", b"other", b"second"]]
    for connection in (redis, tanist):
        replies = [connection.call(c) for c in commands]
        if replies[-1] != b":4\r\n":
            raise Failure(f"expiry: {replies!r}")
        await_true("keys fall due", lambda: connection.call([b"EXISTS", b"short", b"other", b"second"]) == b":0\r\n", 20)
        left = [connection.call(c) for c in ([b"GET", b"short"], [b"DBSIZE"], [b"SETNX", b"short", b"again"], [b"TTL", b"short"], [b"INCR", b"second"])]
        if left != [connection.call([b"GET", b"none"]), b":1\r\n", b":1\r\n", b":-1\r\n", b":1\r\n"]:
            raise Failure(f"expiry: {left!r}")


def same(what, theirs, ours):
    if theirs != ours:
        raise Failure(f"{what}\n  redis:  {theirs[:600]!r}\n  tanist: {ours[:600]!r}")


def inline_story(redis_port, tanist_port, seed):
    """Commands as people type them, with quotes of both kinds and escapes; also between others, and in pieces."""
    draw = random.Random(seed)
    plain = [b"a", b"b", b"1", b"-5", b"x" * 50, b"key:1"]
    quoted = plain + [b'"a"', b"'b'", b'"with space"', b"'with space'", b'"\\x00\\xff\\n\\r\\t\\b\\a\\\\\\""', b"'it\\'s'", b'""', b"''", b'"\\xzz"', b"\\x41"]
    names = [(b"SET", 2), (b"GET", 1), (b"append", 2), (b"STRLEN", 1), (b"INCR", 1), (b"DEL", 1), (b"ECHO", 1), (b"PING", 0), (b"nosuch", 2), (b"MGET", 3)]
    for version in (2, 3):
        theirs, ours = Connection(redis_port, version), Connection(tanist_port, version)
        for connection in (theirs, ours):
            connection.call([b"FLUSHALL"])
        for _ in range(1500):
            name, count = draw.choice(names)
            words = [name] + [draw.choice(quoted) for _ in range(count if draw.random() < 0.95 else 1)]
            line = draw.choice([b" ", b"  ", b"\t "]).join(words) + draw.choice([b"\r\n", b"\n", b" \r\n"])
            if draw.random() < 0.1:
                line = draw.choice([b"\r\n", b"\n"]) + line + Connection.encode([b"GET", b"a"]) + b"PING\r\n"
            cut = draw.randrange(len(line))
            for connection in (theirs, ours):
                connection.socket.sendall(line[:cut])
            for connection in (theirs, ours):
                connection.socket.sendall(line[cut:] + Connection.encode([b"ECHO", b"fence"]))
            fence = b"$5\r\nfence\r\n"
            while True:
                a, b = theirs.read(), ours.read()
                same(f"inline {line!r}, seed {seed}", a, b)
                if a == fence:
                    break


PROTOCOL_ERRORS = [
    b"*x\r\n", b"*-1\r\n+", b"*0\r\nPING\r\n", b"*1\r\n+PING\r\n", b"*1\r\n$x\r\n", b"*1\r\n$-1\r\n", b"*2147483648\r\n",
    b"*1\r\n$99999999999999999999\r\n", b"SET a 'b\r\n", b'SET a "b\r\n', b"SET a 'b'c\r\n", b'"', b"x" * 70_000, b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nab", b"PING\r\n*1\r\n$4\r\nPING\r\n*1\r\n!\r\nPING\r\n", b"GET a\r\n*-5\r\nPING\r\n", b"\r\n\r\n\n",
]


def protocol_error_story(redis_port, tanist_port):
    """What is no protocol is answered with an error, and ends the connection."""
    for text in PROTOCOL_ERRORS:
        replies = []
        for port in (redis_port, tanist_port):
            connection = Connection(port, 2)
            connection.socket.sendall(text)
            try:
                replies.append(connection.rest())
            except ConnectionResetError:
                replies.append(b"reset")
        same(f"protocol error {text[:60]!r}", *replies)


def pubsub_story(redis_port, tanist_port, seed):
    """Listeners in RESP2 and RESP3 that come and go, and who speaks to them."""
    draw = random.Random(seed)
    channels, patterns = [b"a", b"b", b"news", b"n", b"%"], [b"*", b"n*", b"?", b"[ab]", b"x"]
    endings = [b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE"]
    speakers = [Connection(port, 2) for port in (redis_port, tanist_port)]
    listeners = [[Connection(port, version) for port in (redis_port, tanist_port)] for version in (2, 3)]

    def heard(connection, version):
        """What has come, up to the answer of a PING that stands behind it; in the order of the bytes, where Redis's is that of its tables."""
        connection.send([[b"PING", b"fence"]])
        found = []
        while True:
            reply = connection.read()
            if reply in (b"$5\r\nfence\r\n", b"*2\r\n$4\r\npong\r\n$5\r\nfence\r\n"):
                return sorted(found)
            found.append(reply)

    def shape(replies):
        """Of UNSUBSCRIBE without names the order is not told, and with it not which of them has which count."""
        return sorted(reply[:reply.rindex(b":")] for reply in replies)

    for _ in range(1500):
        number = draw.randrange(2)
        names = lambda of: [draw.choice(of) for _ in range(draw.randrange(1, 3))]
        words = draw.choice([lambda: [b"SUBSCRIBE"] + names(channels), lambda: [b"PSUBSCRIBE"] + names(patterns), lambda: [b"UNSUBSCRIBE"] + names(channels),
                             lambda: [b"PUNSUBSCRIBE"] + names(patterns), lambda: [draw.choice(endings)],
                             lambda: [b"SSUBSCRIBE"] + names(channels)[:1], lambda: [b"SUNSUBSCRIBE"] + names(channels), lambda: None, lambda: None])()
        if words is None:
            message = [draw.choice([b"PUBLISH", b"PUBLISH", b"SPUBLISH"]), draw.choice(channels), draw.choice([b"hello", b"", b"\x00\r\n"])]
            same(f"{message!r}", *[speaker.call(message) for speaker in speakers])
            for ask in ([b"PUBSUB", b"NUMPAT"], [b"PUBSUB", b"NUMSUB"] + channels, [b"PUBSUB", b"SHARDNUMSUB"] + channels):
                same(f"{ask!r}", *[speaker.call(ask) for speaker in speakers])
            same("PUBSUB CHANNELS", *[sorted(speaker.call([b"PUBSUB", b"CHANNELS", draw_pattern]).split(b"\r\n")) for draw_pattern in [draw.choice(patterns)] for speaker in speakers])
            for version, pair in zip((2, 3), listeners):
                same(f"after {message!r} in RESP{version}", *[heard(each, version) for each in pair])
            continue
        for each in listeners[number]:
            each.send([words])
        replies = [heard(each, number + 2) for each in listeners[number]]
        same(f"{words!r} in RESP{number + 2}, seed {seed}", *([shape(r) for r in replies] if len(words) == 1 else replies))


# Redis allows the first within MULTI; here what they do is an entry of the log of its own, or waits. It tells shard channels as keys that are none.
OTHER_FACTS = (b"acl|deluser", b"acl|load", b"acl|setuser", b"failover", b"wait", b"spublish", b"ssubscribe", b"sunsubscribe")


def facts_story(redis_port, tanist_port):
    """What COMMAND INFO and COMMAND GETKEYSANDFLAGS tell of each command that both have."""
    compared = 0
    for version in (2, 3):
        theirs, ours = Connection(redis_port, version), Connection(tanist_port, version)
        names = [e.split(b"\r\n")[1] for e in elements(ours.call([b"COMMAND", b"LIST"]))]
        for name in names:
            ask = [b"COMMAND", b"INFO", name]
            a, b = theirs.call(ask), ours.call(ask)
            is_container = name + b"|" in a + b  # whose subcommands come in no order
            if a in (b"*1\r\n$-1\r\n", b"*1\r\n_\r\n") or is_container or name in OTHER_FACTS:
                continue
            same(f"{ask!r} in RESP{version}", a, b)
            compared += 1
        for words in (b"set k v", b"set k v get", b"get k", b"mset a 1 b 2", b"bitop and d a b", b"rename a b", b"copy a b", b"bitfield k get u8 0",
                      b"bitfield k set u8 0 1", b"lcs a b", b"del a b", b"object encoding a", b"memory usage a", b"watch a b", b"getex k ex 5", b"touch a b"):
            same(f"keys of {words!r}", *[each.call([b"COMMAND", b"GETKEYSANDFLAGS"] + words.split()) for each in (theirs, ours)])
    if compared < 250:
        raise Failure(f"only {compared} answers of COMMAND INFO were compared")


def counts_story(redis_port, tanist_port, draw):
    """Calls, rejections, failures and errors, as INFO counts them."""
    theirs, ours = pair = [Connection(port, 2) for port in (redis_port, tanist_port)]
    for connection in pair:
        connection.call([b"FLUSHALL"])
        connection.call([b"CONFIG", b"RESETSTAT"])
    for _ in range(1000):
        batch = draw.transaction() if draw.random.random() < 0.2 else [draw.data()]
        for words in batch:
            for connection in pair:
                connection.call(words)

    def counts(connection):
        lines = connection.call([b"INFO", b"commandstats"]).split(b"\r\n")
        calls = [re.sub(rb"usec=.*,rejected", b"rejected", line) for line in lines if line.startswith(b"cmdstat_") and b"config|" not in line]
        return sorted(calls + [line for line in connection.call([b"INFO", b"errorstats"]).split(b"\r\n") if line.startswith(b"errorstat_")])
    for a, b in zip(counts(theirs), counts(ours)):
        same(f"what INFO counts, seed {draw.seed}", a, b)
    same("how much INFO counts", b"%d lines" % len(counts(theirs)), b"%d lines" % len(counts(ours)))


RULES = [b"on", b"off", b"nopass", b"resetpass", b">secret", b"<secret", b"<other", b"#x", b"!x", b"allkeys", b"resetkeys", b"~*", b"~a*", b"~b:?", b"%R~a*", b"%W~b*", b"%RW~c", b"%X~c",
         b"%~c", b"allchannels", b"resetchannels", b"&*", b"&news", b"&n*", b"allcommands", b"nocommands", b"+@all", b"-@all", b"+@string", b"-@write", b"+@read", b"+@nosuch", b"-@dangerous",
         b"+get", b"-get", b"+set", b"+client|id", b"-client|id", b"+client", b"+config|get", b"+select|0", b"+get|x", b"+nosuch", b"-nosuch", b"+client|nosuch", b"reset", b"x", b"",
         b"(+get ~b*)", b"(+@write %W~c*)", b"(+get", b"clearselectors", b"(reset)", b"(nopass)", b"sanitize-payload", b"skip-sanitize-payload", b"(%R~z +mget)"]
ATTEMPTS = [b"get a", b"get b:1", b"set a v", b"set b:1 v get", b"mget a b:1", b"copy a b:1", b"client id", b"client list", b"config get x", b"config set x y", b"select 0", b"select 1",
            b"publish news x", b"subscribe n", b"psubscribe n*", b"ping", b"dbsize", b"exists q", b"nosuch x", b"get", b"append b1 v", b"setrange a 0 x", b"strlen q"]


# Redis makes rules about commands anew from what they came to, and we tell them as they were given; payloads are nothing here.
NOT_COMPARED = re.compile(rb"\$\d+\r\n[+-]@all.*\r\n|flags\r\n\*\d|\$\d+\r\n(skip-)?sanitize-payload\r\n")


def acl_story(redis_port, tanist_port, seed):
    """Random rules for a user, what they come to, and what the user may then do."""
    draw = random.Random(seed)
    theirs, ours = pair = [Connection(port, 2) for port in (redis_port, tanist_port)]
    for number in range(400):
        if number % 20 == 0:
            for connection in pair:
                connection.call([b"ACL", b"DELUSER", b"u"])
        rules = [draw.choice(RULES) for _ in range(draw.randrange(1, 4))]
        steps = [[b"ACL", b"SETUSER", b"u"] + rules] + [[b"ACL", b"DRYRUN", b"u"] + draw.choice(ATTEMPTS).split() for _ in range(4)]
        for words in steps + [[b"ACL", b"GETUSER", b"u"]]:
            replies = [connection.call(words) for connection in pair]
            same(f"{words!r} after {rules!r}, seed {seed}", *[NOT_COMPARED.sub(b"", reply) for reply in replies])
    for connection in pair:
        connection.call([b"ACL", b"DELUSER", b"u"])


def ending_story(redis_port, tanist_port):
    """QUIT and RESET, and what stands behind them in the same pipeline."""
    for commands in ([[b"SET", b"a", b"1"], [b"QUIT"], [b"SET", b"a", b"2"]], [[b"GET", b"a"], [b"QUIT", b"x"]], [[b"MULTI"], [b"SET", b"a", b"3"], [b"QUIT"]],
                     [[b"MULTI"], [b"SET", b"a", b"3"], [b"RESET"], [b"GET", b"a"]], [[b"WATCH", b"a"], [b"MULTI"], [b"MULTI"], [b"WATCH", b"b"], [b"GET", b"a"], [b"EXEC"]],
                     [[b"SUBSCRIBE", b"c"], [b"GET", b"a"], [b"RESET"], [b"GET", b"a"]], [[b"CLIENT", b"SETNAME", b"me"], [b"RESET"], [b"CLIENT", b"GETNAME"]],
                     [[b"HELLO", b"3"], [b"CLIENT", b"SETNAME", b"x"], [b"GET", b"none"], [b"RESET"], [b"GET", b"none"]], [[b"CLIENT", b"REPLY", b"OFF"], [b"PING"], [b"CLIENT", b"REPLY", b"ON"], [b"PING"]],
                     [[b"CLIENT", b"REPLY", b"SKIP"], [b"SET", b"a", b"5"], [b"GET", b"a"]], [[b"MULTI"], [b"NOSUCH"], [b"EXEC"], [b"EXEC"], [b"DISCARD"]],
                     [[b"MULTI"], [b"GET"], [b"DISCARD"], [b"GET", b"a"]], [[b"MULTI"], [b"INCR", b"a"], [b"APPEND", b"a", b"x"], [b"INCR", b"a"], [b"EXEC"]]):
        replies = []
        for port in (redis_port, tanist_port):
            connection = Connection(port, 2)
            connection.send(commands)
            replies.append(re.sub(rb"\$2\r\nid\r\n:\d+", b"", connection.rest()))  # HELLO tells the connection's number
        same(f"{commands!r}", *replies)
