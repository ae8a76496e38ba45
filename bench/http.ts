// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What a request costs: reading one run and triggering one, next to a bare Hono that says hello, over HTTP and without
 * a network, all in this process; and how soon a thousand streams hear of their runs.
 *
 *     deno task bench:http [--requests 5000] [--watchers 1000]
 *
 * @module
 */
import { memoryStore } from "pawl/adapters/memory";
import { createEngine, machine } from "pawl";
import { bearerTokens, httpApi } from "pawl/plugins/hono";
import { Hono } from "hono";

function option(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

const requests = option("requests", 5_000);
const watchers = option("watchers", 1_000);
const atOnce = 64;
const token = "a-token-of-the-benchmark";

const order = machine<{ n: number }>("order", { pauseRetry: false })
  .callback("placed", ["paid"], () => "paid")
  .build();
const engine = createEngine({ store: memoryStore(), definitions: [order] });
await engine.start();
await engine.trigger(order, "one", { data: { n: 1 } });

const app = new Hono();
app.get("/hello", (c) => c.json({ hello: "world" }));
app.route(
  "/pawl",
  httpApi(engine, { authorize: bearerTokens([{ token }]), limits: { streamsMax: watchers } }),
);
const server = Deno.serve({ port: 0, onListen() {} }, app.fetch);
const origin = `http://127.0.0.1:${server.addr.port}`;

const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
let next = 0;

type Ask = (send: (path: string, init?: RequestInit) => Response | Promise<Response>) => Promise<Response>;

const asks: Readonly<Record<string, Ask>> = {
  "bare Hono, GET hello": async (send) => await send("/hello"),
  "GET one run": async (send) => await send("/pawl/runs/order/one", { headers }),
  "POST trigger": async (send) =>
    await send(`/pawl/runs/order/k${next++}`, { method: "POST", headers, body: '{"data":{"n":1}}' }),
};

/** Requests per second, so many at once. */
async function rate(ask: Ask, send: Parameters<Ask>[0], count: number): Promise<number> {
  let left = count;
  // What the one before has left to be cleared away is not this one's.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) {
      const response = await ask(send);
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      await response.text();
    }
  }));
  return Math.round(count / ((performance.now() - startedAt) / 1_000));
}

const over = (path: string, init?: RequestInit) => fetch(origin + path, init);
const within = (path: string, init?: RequestInit) => app.request(path, init);
const names = Object.keys(asks);
/** The best of three rounds that take turns: what else the machine does slows them all. */
const best = new Map(names.map((name) => [name, [0, 0] as [number, number]]));
for (let round = 0; round < 3; round++) {
  for (const name of names) {
    const [http, local] = best.get(name)!;
    const ask = asks[name]!;
    best.set(name, [
      Math.max(http, await rate(ask, over, requests)),
      Math.max(local, await rate(ask, within, requests * 2)),
    ]);
  }
}
const [hello] = best.values();
const share = (rates: readonly number[], index: 0 | 1) =>
  `${Math.round(100 * rates[index]! / hello![index])}%`;
console.table(Object.fromEntries([...best].map(([name, rates]) => [name, {
  "over HTTP, req/s": rates[0],
  "of hello": share(rates, 0),
  "no network, req/s": rates[1],
  "of hello ": share(rates, 1),
}])));

/** Opens a stream, and tells when it has shown the end of its run. */
async function watch(key: string): Promise<{ readonly ended: Promise<number> }> {
  const response = await fetch(`${origin}/pawl/runs/order/${key}/watch`, { headers });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("event: history")) text += (await reader.read()).value ?? "";
  const rest = async () => {
    while (!text.includes("event: end")) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`a stream ended early: ${text}`);
      text += value;
    }
    await reader.cancel();
    return performance.now();
  };
  return { ended: rest() };
}

for (let n = 0; n < watchers; n++) await engine.trigger(order, `w${n}`, { data: { n } });
const openedAt = performance.now();
const streams = await Promise.all(Array.from({ length: watchers }, (_, n) => watch(`w${n}`)));
const readyAt = performance.now();
const heap = Deno.memoryUsage().heapUsed;
await Promise.all(Array.from({ length: watchers }, (_, n) => engine.cancel(order, `w${n}`)));
const doneAt = performance.now();
const ends = (await Promise.all(streams.map(({ ended }) => ended))).sort((a, b) => a - b);
console.log(
  `${watchers} streams: open in ${Math.round(readyAt - openedAt)} ms; all runs cancelled in ${
    Math.round(doneAt - readyAt)
  } ms; ` +
    `the median stream had ended ${Math.round(ends[ends.length >> 1]! - readyAt)} ms after the first, ` +
    `the last ${Math.round(ends.at(-1)! - readyAt)} ms; heap ${
      Math.round(heap / 2 ** 20)
    } MiB, client and server`,
);
await engine.stop();
await server.shutdown();
