#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real input: every package of Debian's own index (key: name, value: its whole stanza) goes in through the master and comes out of a
slave, compared byte for byte. Reads `apt-cache dumpavail`, or a file of such stanzas."""
import argparse, base64, json, subprocess, sys, time
from cluster import Cluster, Failure, await_true


def stanzas(text):
    """Package name → stanza; of several versions the last."""
    packages = {}
    for stanza in text.split(b"\n\n"):
        if stanza.strip():
            name = next((line[9:] for line in stanza.split(b"\n") if line.startswith(b"Package: ")), None)
            if name:
                packages[name] = stanza + b"\n"
    return packages


def field(name, data):
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_b64": base64.b64encode(data).decode()}


def value_of(row, name):
    return row[name].encode() if name in row else base64.b64decode(row[f"{name}_b64"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", help="stanzas, as apt-cache dumpavail prints them")
    parser.add_argument("--least", type=int, default=100, help="fewer packages than this is a failure")
    parser.add_argument("--build")
    options = parser.parse_args()
    text = open(options.file, "rb").read() if options.file else subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True).stdout
    packages = stanzas(text)
    if len(packages) < options.least:
        print(f"skipped: only {len(packages)} packages in the index (apt-get update?)")
        return 77
    with Cluster(3, build=options.build) as cluster:
        cluster.start()
        master = cluster.master()
        slave = next(n for n in cluster.nodes if n is not master)
        source = cluster.folder / "packages.jsonl"
        with open(source, "w") as out:
            for name, stanza in packages.items():
                out.write(json.dumps({**field("key", b"package/" + name), **field("value", stanza)}, ensure_ascii=False) + "\n")
        started = time.monotonic()
        cluster.tanist("import", source, node=master)
        imported = time.monotonic() - started
        started = time.monotonic()
        rows = cluster.tanist("--direct", "--read-level", "linearizable", "export", "--prefix", "package/", node=slave).stdout
        exported = time.monotonic() - started
        found = {}
        for line in rows.splitlines():
            row = json.loads(line)
            found[value_of(row, "key")[len(b"package/"):]] = value_of(row, "value")
        if found != packages:
            missing = [k for k in packages if k not in found]
            differing = [k for k in packages if k in found and found[k] != packages[k]]
            raise Failure(f"{len(missing)} packages missing, {len(differing)} differ, {len(found.keys() - packages.keys())} too many; first: {(missing + differing)[:3]}")
        total = sum(map(len, packages.values()))
        print(f"{len(packages)} packages, {total / 1e6:.1f} MB: imported through node {master.id} in {imported:.1f} s, "
              f"exported from node {slave.id} in {exported:.1f} s, equal byte for byte")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, Failure) as failure:
        sys.exit(f"FAILED: {failure}")
