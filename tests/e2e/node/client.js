// SPDX-License-Identifier: Apache-2.0
// One Redis client of Node.js, unchanged, against a cluster that tests/e2e/node_clients.py runs:
//   node client.js ioredis|redis NAME SENTINEL_PORT,SENTINEL_PORT,…
// First what applications do with such a client; then it writes without pause, one key after the other, prints a line
// {"acknowledged": n} now and then, and, once its standard input ends, reads everything back that was acknowledged.
"use strict";
const assert = require("node:assert");
const { setTimeout: sleep } = require("node:timers/promises");
const [library, name, ports] = process.argv.slice(2);
const sentinels = ports.split(",").map((port) => ({ host: "127.0.0.1", port: Number(port) }));

const tell = (message) => process.stdout.write(JSON.stringify(message) + "\n");

async function connect_ioredis() {
  const { Redis } = require("ioredis");
  const open = (options) => new Redis({ sentinels, name, sentinelRetryStrategy: () => 50, retryStrategy: () => 50, ...options });
  const client = open({ maxRetriesPerRequest: null });
  const errors = [];
  client.on("error", (error) => errors.push(error));
  return {
    call: (...words) => client.call(...words),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    pipeline: (keys) => keys.reduce((all, key) => all.get(key), client.pipeline()).exec().then((rows) => rows.map(([error, value]) => error ?? value)),
    transaction: () => client.multi().set("t", "1").incr("t").get("t").exec().then((rows) => rows.map(([, value]) => value)),
    listen: async (channel, take) => {
      const listener = open();
      await listener.subscribe(channel);
      listener.on("message", (_, message) => take(message));
      return () => listener.disconnect();
    },
    read_from_slave: async (key) => {
      const slave = open({ role: "slave" });
      const value = await slave.get(key);
      slave.disconnect();
      return value;
    },
    scan: async (match) => {
      const found = [];
      for await (const keys of client.scanStream({ match, count: 7 })) found.push(...keys);
      return found;
    },
    end: () => client.disconnect(),
  };
}

async function connect_redis() {
  const { createSentinel } = require("redis");
  const open = async (replicaPoolSize) => {
    const opened = createSentinel({ name, sentinelRootNodes: sentinels, replicaPoolSize, maxCommandRediscovers: 1000, scanInterval: 500 });
    opened.on("error", () => {});
    await opened.connect();
    return opened;
  };
  const client = await open(0);
  return {
    call: (...words) => client.sendCommand(false, words),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    pipeline: (keys) => Promise.all(keys.map((key) => client.get(key))),
    transaction: () => client.multi().set("t", "1").incr("t").get("t").exec(),
    listen: async (channel, take) => {
      await client.subscribe(channel, take);
      return () => client.unsubscribe(channel);
    },
    read_from_slave: async (key) => {
      const slaves = await open(1);
      const value = await slaves.get(key);
      await slaves.close();
      return value;
    },
    scan: async (match) => {
      const found = [];
      let cursor = "0";
      do {
        const page = await client.scan(cursor, { MATCH: match, COUNT: 7 });
        cursor = page.cursor.toString();
        found.push(...page.keys);
      } while (cursor !== "0");
      return found;
    },
    end: () => client.destroy(),
  };
}

async function eventually(what, condition) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) if (await condition()) return;
  throw new Error(`not within 30 s: ${what}`);
}

async function use(client) {
  assert.equal(await client.call("FLUSHALL"), "OK");
  assert.equal(await client.set("greeting", "hello"), "OK");
  assert.equal(await client.get("greeting"), "hello");
  assert.equal(await client.call("SET", "greeting", "again", "NX", "EX", "100"), null);
  assert.equal(await client.call("SET", "short", "1", "PX", "100000", "GET"), null);
  assert.equal(await client.call("INCRBYFLOAT", "n", "1.5"), "1.5");
  assert.deepEqual(await client.call("MGET", "greeting", "none"), ["hello", null]);
  assert.deepEqual((await client.transaction()).map(String), ["OK", "2", "2"]);
  await assert.rejects(client.call("INCR", "greeting"), /value is not an integer/);
  await assert.rejects(client.call("LPUSH", "list", "1"), /unknown command/);
  const keys = Array.from({ length: 50 }, (_, i) => `many:${i}`);
  await client.call("MSET", ...keys.flatMap((key) => [key, key]));
  assert.deepEqual(await client.pipeline(keys), keys);
  assert.deepEqual((await client.scan("many:*")).sort(), [...keys].sort());
  await eventually("a slave has the newest write", async () => (await client.read_from_slave("many:49")) === "many:49");
  const heard = [];
  const stop = await client.listen("news", (message) => heard.push(message));
  await client.call("PUBLISH", "news", "first");
  await eventually("the message was heard", async () => heard.length > 0);
  assert.deepEqual(heard, ["first"]);
  await stop();
}

async function main() {
  const client = library === "ioredis" ? await connect_ioredis() : await connect_redis();
  await use(client);
  tell({ used: true });

  const acknowledged = [];
  const errors = {};
  let stopping = false;
  process.stdin.resume();
  process.stdin.on("end", () => { stopping = true; });
  const write = async (number) => {
    for (let i = 0; !stopping; ++i) {
      const key = `load:${number}:${i}`;
      try {
        if ((await client.set(key, key)) === "OK") acknowledged.push(key);
        if (acknowledged.length % 100 === 0) tell({ acknowledged: acknowledged.length });
      } catch (error) {
        const kind = String(error.message).split(" ").slice(0, 2).join(" ");
        errors[kind] = (errors[kind] ?? 0) + 1;
        await sleep(5);
      }
    }
  };
  await Promise.all([0, 1, 2, 3].map(write));
  const lost = [];
  for (let i = 0; i < acknowledged.length; i += 500) {
    const keys = acknowledged.slice(i, i + 500);
    const values = await client.pipeline(keys);
    keys.forEach((key, at) => { if (values[at] !== key) lost.push(key); });
  }
  tell({ read_back: acknowledged.length, lost: lost.length, first_lost: lost[0], errors });
  client.end();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
