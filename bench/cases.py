# SPDX-License-Identifier: Apache-2.0
"""What is measured side by side: each case is a load on some nodes, the systems that take it, and the goal for the ratio."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    nodes: int
    load: dict  # options of tanist_load
    peer: str  # redis-server, etcd, or "" where nobody else can do it
    goal: float = 0  # of our throughput to the peer's; 0: none
    latency_goal: float = 0  # of our median latency to the peer's; 0: none
    ours: dict = dataclasses.field(default_factory=dict)  # options for tanistd only
    node: int = 0  # of ours that is asked
    settings: str = ""  # of ours: lines of [node]
    with_wait: bool = False  # redis-server: WAIT 1 behind each pipeline
    quick: bool = True  # also in a quick run


def all_cases(keys):
    cases = []
    add = lambda *a, **k: cases.append(Case(*a, **k))
    for pipeline, goal in ((1, 0.95), (16, 1.5), (64, 2)):
        add(f"GET, one node, P={pipeline}", 1, dict(pipeline=pipeline, get_percent=100, keys=keys), "redis-server", goal)
    for pipeline, goal in ((1, 1.5), (16, 1.3), (64, 1.3)):
        add(f"SET, one node, P={pipeline}", 1, dict(pipeline=pipeline, keys=keys), "redis-server", goal)
    add("SET, one node, one client", 1, dict(keys=keys, connections=1), "redis-server")
    for pipeline, goal in ((1, 1.5), (16, 2), (64, 2.5)):
        add(f"SET, three nodes, P={pipeline}", 3, dict(pipeline=pipeline, keys=keys), "redis-server", goal, with_wait=True)
    add("SET, three nodes, one client", 3, dict(keys=keys, connections=1), "redis-server", latency_goal=0.7, with_wait=True)
    add("SET, three nodes, one client, idle_poll_us = 500", 3, dict(keys=keys, connections=1), "redis-server", latency_goal=0.7, with_wait=True,
        settings="idle_poll_us = 500", quick=False)
    add("put, three nodes, 50 clients", 3, dict(keys=keys), "etcd", 8)
    add("put, three nodes, 1000 clients", 3, dict(keys=keys, connections=1000), "etcd", quick=False)
    linearizable = dict(get_percent=100, keys=keys, read_level="linearizable")
    add("linearizable reads, 50 clients, master", 3, linearizable, "etcd", 10)
    add("linearizable reads, 50 clients, slave", 3, linearizable, "etcd", 10, node=1)
    for letter in "abcdf":
        add(f"YCSB {letter.upper()}, one node", 1, dict(workload=letter, keys=keys), "redis-server", quick=False)
    add("YCSB E, one node", 1, dict(workload="e", keys=keys), "", ours=dict(dialect="native"), quick=False)
    return cases
