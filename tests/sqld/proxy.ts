/**
 * A proxy between a store and its server: it counts requests, and loses, holds back or cuts them as a test wishes.
 *
 * @module
 */
import { Wire } from "./wire.ts";

/** A request: the body of an HTTP request, or a WebSocket message that runs a batch. */
export interface Seen {
  /** `write` begins a write transaction. */
  readonly kind: "read" | "write";
  /** Its JSON text. */
  readonly text: string;
}

/**
 * What becomes of a request; the client's connection is cut unless it passes. `late`: it reaches the server when the
 * test says so. `hang`: nothing is cut, but nobody answers on this connection ever again.
 */
export type Fate = "pass" | "lose request" | "lose reply" | "late" | "hang";

/** A proxy to one server. */
export interface SqldProxy {
  /** Its address, as `url("ws")`. */
  url(scheme: "http" | "ws"): string;
  /** All requests so far. */
  readonly seen: Seen[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Decides on the next requests; a request that the client's `fetch` sends again by itself shares its first fate. */
  decide: (request: Seen) => Fate;
  /** Lets what was held back reach the server. Resolves with the server's replies. */
  deliver(): Promise<string[]>;
  /** Ends it and all connections through it. */
  close(): Promise<void>;
}

interface Held {
  send(): Promise<string>;
}

/**
 * Starts a proxy that lets everything pass.
 *
 * @param port The server's port on 127.0.0.1.
 */
export function startProxy(port: number): SqldProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const wires = new Set<Wire>();
  const held: Held[] = [];
  const fates = new Map<string, Fate>();
  const running = new Set<Promise<void>>();
  const seen: Seen[] = [];
  let connections = 0;
  const proxy: SqldProxy = {
    url: (scheme) => `${scheme}://127.0.0.1:${listener.addr.port}`,
    seen,
    get connections() {
      return connections;
    },
    decide: () => "pass",
    deliver: () => Promise.all(held.splice(0).map((each) => each.send())),
    async close() {
      listener.close();
      for (const wire of wires) wire.close();
      await Promise.all(running);
    },
  };
  const judge = (text: string): Fate => {
    const request: Seen = { kind: text.includes("BEGIN IMMEDIATE") ? "write" : "read", text };
    seen.push(request);
    const fate = fates.get(text) ?? proxy.decide(request);
    // No two writes are alike, so the same one again is a repetition. Reads may be alike.
    if (fate !== "pass" && request.kind === "write") fates.set(text, fate);
    return fate;
  };
  const hold = (each: Held) => held.push(each);
  const open = (conn: Deno.TcpConn) => {
    const wire = new Wire(conn);
    wires.add(wire);
    return wire;
  };
  const serve = async (conn: Deno.TcpConn) => {
    connections++;
    const client = open(conn);
    const upstream = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    // A server that is away looks the same from behind a proxy: a connection that ends at once.
    if (upstream) await relay({ client, server: open(upstream), judge, hold });
    client.close();
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      const work = serve(conn);
      running.add(work);
      work.finally(() => running.delete(work));
    }
  })();
  running.add(accepting);
  return proxy;
}

interface Relay {
  readonly client: Wire;
  readonly server: Wire;
  readonly judge: (text: string) => Fate;
  readonly hold: (each: Held) => void;
}

async function relay(ends: Relay): Promise<void> {
  const { client, server, judge, hold } = ends;
  for (;;) {
    const request = await client.http();
    if (!request) return server.close();
    if (/^upgrade: *websocket/im.test(request.head)) {
      await server.write(request.raw);
      const accepted = await server.http();
      if (accepted) await client.write(accepted.raw);
      return await relayMessages(ends);
    }
    const fate = judge(new TextDecoder().decode(request.raw.subarray(request.head.length)));
    const ask = async () => {
      await server.write(request.raw);
      return await server.http();
    };
    if (fate === "hang") continue;
    if (fate === "late") {
      hold({
        send: async () => {
          const reply = await ask();
          server.close();
          return reply ? new TextDecoder().decode(reply.raw) : "";
        },
      });
      return;
    }
    const reply = fate === "lose request" ? undefined : await ask();
    if (fate !== "pass" || !reply) return server.close();
    await client.write(reply.raw);
  }
}

/** Requests and replies of a WebSocket are matched by their ids. */
async function relayMessages({ client, server, judge, hold }: Relay): Promise<void> {
  const awaited = new Map<number, (reply: string) => void>();
  const replyTo = (id: number) => new Promise<string>((resolve) => awaited.set(id, resolve));
  const cut = () => client.close();
  const down = (async () => {
    for (;;) {
      const frame = await server.frame();
      if (!frame) break;
      const id = idOf(frame.text);
      const waiting = id === undefined ? undefined : awaited.get(id);
      if (waiting) {
        awaited.delete(id!);
        waiting(frame.text);
      } else await client.write(frame.raw);
    }
    for (const resolve of awaited.values()) resolve("");
    cut();
  })();
  let holding = false;
  let deaf = false;
  for (;;) {
    const frame = await client.frame();
    if (!frame) break;
    if (deaf) continue;
    const isBatch = frame.text.includes('"type":"batch"');
    const fate = isBatch ? judge(frame.text) : "pass";
    if (fate === "pass") {
      await server.write(frame.raw);
      continue;
    }
    if (fate === "hang") {
      deaf = true;
      continue;
    }
    const ask = async () => {
      const reply = replyTo(idOf(frame.text)!);
      await server.write(frame.raw);
      return await reply;
    };
    if (fate === "late") {
      holding = true;
      hold({ send: () => ask().finally(() => server.close()) });
    } else if (fate === "lose reply") await ask();
    cut();
    break;
  }
  if (!holding) server.close();
  await down;
}

function idOf(text: string): number | undefined {
  const id = /"request_id":(\d+)/.exec(text)?.[1];
  return id === undefined ? undefined : Number(id);
}
