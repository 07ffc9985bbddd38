// An example of a consumer in Node, without packages: prints a line for each article, and acknowledges it.
//
// Environment: REDIS_URL (redis://user:password@host:port); STREAM and GROUP, where they are not {ingest:0}:articles
// and example; READER, a name of its own for each process; IDLE_MS, after which events of others are taken over.
// It knows nothing of poison: an event that kills this process comes again for ever. The library for Python gives it up.
import net from "node:net";

const { REDIS_URL, GROUP = "example", STREAM = "{ingest:0}:articles" } = process.env;
const { READER = `node-${process.pid}`, IDLE_MS = "60000" } = process.env;
let ending = false;
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (ending = true));

// The reply (RESP 2) that begins at `at`: [value, where the next one begins], or undefined while it is not whole.
function reply(buffer, at) {
  const end = buffer.indexOf("\r\n", at);
  if (end < 0) return undefined;
  const [kind, text] = [String.fromCharCode(buffer[at]), buffer.toString("utf8", at + 1, end)];
  const [size, next] = [Number(text), end + 2];
  if (kind === "-") return [new Error(text), next];
  if (kind === "+") return [text, next];
  if (kind === ":") return [size, next];
  if (size < 0) return [null, next];
  if (kind === "$") {
    return buffer.length < next + size + 2 ? undefined : [buffer.toString("utf8", next, next + size), next + size + 2];
  }
  const items = [];
  let place = next;
  while (items.length < size) {
    const item = reply(buffer, place);
    if (item === undefined) return undefined;
    items.push(item[0]);
    place = item[1];
  }
  return [items, place];
}

// A connection: `call` sends one command and brings its reply, or throws what Redis has against it.
async function connect(url) {
  const { hostname, port, username, password } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port) || 6379 });
  const waiting = [];
  let buffer = Buffer.alloc(0);
  const fail = (error) => waiting.splice(0).forEach(({ reject }) => reject(error ?? new Error("disconnected")));
  socket.on("data", (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (let found; waiting.length && (found = reply(buffer, 0)); buffer = buffer.subarray(found[1])) {
      const { resolve, reject } = waiting.shift();
      found[0] instanceof Error ? reject(found[0]) : resolve(found[0]);
    }
  });
  socket.on("error", fail).on("close", () => fail());
  const call = (...words) =>
    new Promise((resolve, reject) => {
      if (socket.destroyed) return reject(new Error("disconnected"));
      waiting.push({ resolve, reject });
      const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
      socket.write(`*${words.length}\r\n${parts.join("")}`);
    });
  if (password) await call("AUTH", decodeURIComponent(username || "default"), decodeURIComponent(password));
  return { call, close: () => socket.destroy() };
}

function handle(fields) {
  const event = Object.fromEntries(fields.flatMap((name, i) => (i % 2 ? [] : [[name, fields[i + 1]]])));
  const article = JSON.parse(event.data);
  // A visit that found the article as it was has no title: it says which revision still holds.
  const what = article.title ?? `unchanged, revision ${article.revision}`;
  // Keep it here, under event.id. No control characters reach the terminal.
  console.log(`${event.id}  ${what.replace(/\p{C}/gu, " ")}  ${article.url}`);
}

async function read({ call }) {
  await call("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM").catch((error) => {
    if (!error.message.startsWith("BUSYGROUP")) throw error;
  });
  let cursor = "0-0";
  let lookAt = 0;
  while (!ending) {
    let entries = [];
    if (cursor !== "0-0" || Date.now() >= lookAt) {
      // What others had and did not acknowledge, page by page, to the tail.
      [cursor, entries] = await call("XAUTOCLAIM", STREAM, GROUP, READER, IDLE_MS, cursor, "COUNT", 10);
      lookAt = Date.now() + Number(IDLE_MS) / 4;
    } else {
      const page = ["COUNT", 10, "BLOCK", 1000, "STREAMS", STREAM, ">"];
      entries = (await call("XREADGROUP", "GROUP", GROUP, READER, ...page))?.[0][1] ?? [];
    }
    for (const [entry, fields] of entries.filter((each) => each !== null)) {
      if (ending) return;
      handle(fields);
      await call("XACK", STREAM, GROUP, entry);
    }
  }
}

while (!ending) {
  let redis;
  try {
    redis = await connect(REDIS_URL);
    await read(redis);
  } catch (error) {
    console.error(`again in a second: ${error.message}`);
    await new Promise((wake) => setTimeout(wake, 1000));
  } finally {
    redis?.close();
  }
}
