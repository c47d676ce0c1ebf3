# SPDX-License-Identifier: Apache-2.0
"""What redis-server and tanistd tell those who watch keys, compared: keyspace notifications, and the invalidations of CLIENT TRACKING."""
import random

from cluster import await_true
from redis_stories import Connection, same

KEYS = [b"a", b"b", b"user:1", b"user:2", b"item:1"]
FENCE = b"fence"


def draw_write(draw):
    """Of commands that change keys, or do not; none falls due meanwhile."""
    key, other = draw.choice(KEYS), draw.choice(KEYS)
    return draw.choice([
        lambda: [b"SET", key, b"1"], lambda: [b"SET", key, b"1", b"EX", b"1000"], lambda: [b"SET", key, b"7", draw.choice([b"NX", b"XX"])],
        lambda: [b"SET", key, b"1", b"KEEPTTL"], lambda: [b"SET", key, b"1", b"GET"], lambda: [b"SETNX", key, b"1"], lambda: [b"SETEX", key, b"1000", b"1"],
        lambda: [b"PSETEX", key, b"1000000", b"1"], lambda: [b"GETSET", key, b"1"], lambda: [b"GETDEL", key], lambda: [b"GETEX", key],
        lambda: [b"GETEX", key, b"EX", b"1000"], lambda: [b"GETEX", key, b"PERSIST"], lambda: [b"MSET", key, b"1", other, b"2"],
        lambda: [b"MSETNX", key, b"1", other, b"2"], lambda: [b"APPEND", key, draw.choice([b"1", b""])], lambda: [b"SETRANGE", key, b"2", draw.choice([b"1", b""])],
        lambda: [draw.choice([b"INCR", b"DECR"]), key], lambda: [draw.choice([b"INCRBY", b"DECRBY"]), key, b"3"], lambda: [b"INCRBYFLOAT", key, b"1"],
        lambda: [b"SETBIT", key, b"3", draw.choice([b"0", b"1"])], lambda: [b"BITOP", b"AND", key, other, b"none"], lambda: [b"BITOP", b"NOT", key, other],
        lambda: [b"BITFIELD", key, b"SET", b"u8", b"0", b"65"], lambda: [b"BITFIELD", key, b"GET", b"u8", b"0"], lambda: [draw.choice([b"DEL", b"UNLINK"]), key, other],
        lambda: [b"RENAME", key, other], lambda: [b"RENAMENX", key, other], lambda: [b"COPY", key, other], lambda: [b"COPY", key, other, b"REPLACE"],
        lambda: [b"EXPIRE", key, draw.choice([b"1000", b"-1", b"x"])], lambda: [b"PEXPIREAT", key, b"99999999999999", draw.choice([b"NX", b"XX", b"GT"])],
        lambda: [b"PERSIST", key], lambda: [b"FLUSHALL"] if draw.random() < 0.2 else [b"TOUCH", key], lambda: [b"GET", key],
    ])()


def heard(connection):
    """What came before the answer of a PING."""
    connection.send([[b"PING", FENCE]])
    found = b""
    while True:
        reply = connection.read()
        if reply in (b"$5\r\nfence\r\n", b"*2\r\n$4\r\npong\r\n$5\r\nfence\r\n"):
            return found
        found += reply


def notification_story(redis_port, tanist_port, seed):
    """Every event of every command, as classes are turned on and off."""
    draw = random.Random(seed)
    writers = [Connection(port, 2) for port in (redis_port, tanist_port)]
    listeners = [Connection(port, 2) for port in (redis_port, tanist_port)]
    for connection in listeners:
        connection.call([b"PSUBSCRIBE", b"__key*__:*"])
    for number in range(1500):
        if number % 50 == 0:
            classes = draw.choice([b"KEA", b"KEAn", b"Kg", b"E$", b"KEn$", b"KE", b"A", b"", b"KExm", b"KEg$lshzxetdnm"])
            for words in ([b"CONFIG", b"SET", b"notify-keyspace-events", classes], [b"CONFIG", b"GET", b"notify-keyspace-events"], [b"FLUSHALL"]):
                same(f"{words!r}", *[connection.call(words) for connection in writers])
        words = draw_write(draw)
        if b"m" in classes and words[0] in (b"GET", b"TOUCH", b"GETDEL", b"GETEX", b"GETSET", b"BITOP", b"COPY", b"SET", b"BITFIELD"):
            continue  # which may tell that a key was not found
        same(f"{words!r}, seed {seed}", *[connection.call(words) for connection in writers])
        same(f"events of {words!r} with {classes!r}, seed {seed}", *[heard(connection) for connection in listeners])
    for connection in writers:
        connection.call([b"CONFIG", b"SET", b"notify-keyspace-events", b""])


MODES = [[], [b"NOLOOP"], [b"OPTIN"], [b"OPTOUT"], [b"OPTIN", b"NOLOOP"], [b"BCAST"], [b"BCAST", b"PREFIX", b"user:", b"PREFIX", b"item:"], [b"BCAST", b"NOLOOP", b"PREFIX", b"user:"],
         [b"BCAST", b"PREFIX", b"us", b"PREFIX", b"user:"], [b"PREFIX", b"user:"], [b"BCAST", b"OPTIN"], [b"OPTIN", b"OPTOUT"], [b"REDIRECT", b"9999999"], [b"REDIRECT", b"x"], [b"nonsense"]]


def tracking_story(redis_port, tanist_port, seed):
    """Readers in RESP3, with another mode now and then, who also write; and a writer beside them."""
    draw = random.Random(seed)
    writers = [Connection(port, 2) for port in (redis_port, tanist_port)]
    readers = [Connection(port, 3) for port in (redis_port, tanist_port)]
    keepers = [Connection(port, 3) for port in (redis_port, tanist_port)]  # where nobody tracks, tanistd forgets who has read what
    for connection in keepers:
        connection.call([b"CLIENT", b"TRACKING", b"ON"])
    for connection in writers:
        connection.call([b"FLUSHALL"])
    is_sparing = False
    for _ in range(2000):
        reader = draw.choice([
            lambda: [b"CLIENT", b"TRACKING", b"ON"] + draw.choice(MODES) if draw.random() < 0.3 else None,
            lambda: [b"CLIENT", b"TRACKING", b"OFF"] if draw.random() < 0.1 else [b"CLIENT", b"TRACKINGINFO"], lambda: [b"CLIENT", b"GETREDIR"],
            lambda: [b"CLIENT", b"CACHING", draw.choice([b"YES", b"NO", b"x"])], lambda: [b"GET", draw.choice(KEYS)], lambda: [b"MGET", draw.choice(KEYS), draw.choice(KEYS)],
            lambda: [b"STRLEN", draw.choice(KEYS)], lambda: [b"EXISTS", draw.choice(KEYS)], lambda: [b"BITCOUNT", draw.choice(KEYS)],
            lambda: draw_write(draw)])()
        if reader is None:
            continue
        if is_sparing and reader[0] not in (b"CLIENT", b"GET", b"MGET", b"STRLEN", b"EXISTS", b"BITCOUNT"):
            reader = [b"SET", b"own", b"1"]  # with NOLOOP tanistd keeps a reader that writes the key itself, and Redis does not
        steps = [reader]
        if draw.random() < 0.1:
            # What it reads it does not write: of the two in one entry, tanistd does not know which came first, and tells the key.
            steps = [[b"MULTI"], [b"GET", draw.choice(KEYS)], [b"MGET", draw.choice(KEYS), draw.choice(KEYS)], draw.choice([[b"SET", b"unread", b"1"], [b"TTL", b"a"]]), [b"EXEC"]]
        for words in steps:
            replies = [connection.call(words) for connection in readers]
            same(f"{words!r} of {steps!r}, seed {seed}", *replies)
            if words[:3] == [b"CLIENT", b"TRACKING", b"ON"] and replies[0] == b"+OK\r\n":
                is_sparing = b"NOLOOP" in words
        same(f"pushed behind {reader!r}, seed {seed}", *[heard(connection) for connection in readers])
        for words in [draw_write(draw) for _ in range(draw.randrange(3))]:
            same(f"{words!r}, seed {seed}", *[connection.call(words) for connection in writers])
            same(f"pushed after {words!r}, seed {seed}", *[heard(connection) for connection in readers])


def redirect_story(redis_port, tanist_port, seed):
    """Told to another connection, in RESP2 as messages, until that is gone."""
    draw = random.Random(seed)
    for version in (2, 3):
        pairs = [[Connection(port, version) for _ in range(3)] for port in (redis_port, tanist_port)]
        for reader, listener, writer in pairs:
            number = listener.call([b"CLIENT", b"ID"])[1:-2]
            writer.call([b"FLUSHALL"])
            listener.call([b"SUBSCRIBE", b"__redis__:invalidate"])
            reader.call([b"CLIENT", b"TRACKING", b"ON", b"REDIRECT", number])
        for _ in range(300):
            words, key = draw_write(draw), draw.choice(KEYS)
            for reader, _, writer in pairs:
                reader.call([b"GET", key])
                writer.call(words)
            same(f"redirected after {words!r} in RESP{version}, seed {seed}", *[heard(listener) for _, listener, _ in pairs])
        for reader, listener, writer in pairs:
            listener.socket.close()
            listener.stream.close()
            await_true("the listener's end is noticed", lambda: writer.call([b"PUBLISH", b"__redis__:invalidate", b""]) == b":0\r\n")
        for reader, _, writer in pairs:
            reader.call([b"GET", b"a"])
            writer.call([b"SET", b"a", b"1"])
        same(f"broken redirection in RESP{version}", *[heard(reader)[:30] for reader, _, _ in pairs])  # which ends in a number
        same("flags", *[b"%d" % reader.call([b"CLIENT", b"TRACKINGINFO"]).count(b"broken_redirect") for reader, _, _ in pairs])
