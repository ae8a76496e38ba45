/**
 * What the dashboard works out before it draws: time scales, visits, diagrams.
 *
 * @module
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import { createEngine, type Definition, machine, silentLogger } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { layoutOf, spread } from "../../plugins/hono/dashboard/graph_layout.ts";
import { idOfStatus, readMermaid } from "../../plugins/hono/dashboard/mermaid_graph.ts";
import { niceMax } from "../../plugins/hono/dashboard/nice_max.ts";
import { percentOf, spanOf, ticksOf } from "../../plugins/hono/dashboard/time_scale.ts";
import { durationText, relativeText } from "../../plugins/hono/dashboard/time_text.ts";
import { visitsOf } from "../../plugins/hono/dashboard/visits.ts";
import type { History } from "../../plugins/hono/dashboard/wire.ts";

Deno.test("durationText and relativeText say a duration in words that are never more than it is", () => {
  const texts = [0, 0.25, 12, 999, 1_000, 9_990, 10_000, 61_000, 3_600_000, 7_500_000, 90_000_000].map(
    durationText,
  );
  assert.deepEqual(texts, [
    ...["0 ms", "0.3 ms", "12 ms", "999 ms", "1.0 s", "9.9 s", "10 s", "1 min 1 s"],
    ...["1 h", "2 h 5 min", "1 d 1 h"],
  ]);
  assert.deepEqual([relativeText(0, 999), relativeText(0, 119_000), relativeText(7_200_000, 0)], [
    ...["now", "1 min ago", "in 2 h"],
  ]);
});

Deno.test("ticksOf marks any span with few, even, growing marks from its begin", () => {
  fc.assert(
    fc.property(
      fc.nat(2e12),
      fc.integer({ min: 0, max: 1e12 }),
      fc.integer({ min: 2, max: 12 }),
      (from, length, most) => {
        const span = spanOf(from, from + length);
        const ticks = ticksOf(span, most);
        assert.ok(ticks.length >= 1 && ticks.length <= most + 1);
        assert.equal(ticks[0]!.percent, 0);
        const distances = ticks.slice(1).map(({ percent }, n) => percent - ticks[n]!.percent);
        assert.ok(distances.every((each) => each > 0 && Math.abs(each - distances[0]!) < 1e-6));
        assert.ok(ticks.at(-1)!.percent <= 100);
        // More than half of a long line is marked; where there may be fewer than four, two round distances may miss it.
        if (most >= 4 && length >= most) {
          assert.ok(ticks.at(-1)!.percent > 40, JSON.stringify(ticks));
        }
      },
    ),
  );
  assert.deepEqual(ticksOf({ from: 5, to: 3_005 }, 6).map(({ text }) => text), [
    ...["0", "500 ms", "1.0 s", "1.5 s", "2.0 s", "2.5 s", "3.0 s"],
  ]);
  assert.deepEqual([
    percentOf(-1, { from: 0, to: 4 }),
    percentOf(1, { from: 0, to: 4 }),
    percentOf(9, { from: 0, to: 4 }),
  ], [0, 25, 100]);
});

Deno.test("niceMax ends an axis above any value, and at most two and a half times as high", () => {
  fc.assert(fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
    const most = niceMax(value);
    assert.ok(most >= value * (1 - 1e-9) && most <= value * 2.500_001, `${value}: ${most}`);
  }));
  assert.deepEqual([0, 0.3, 1, 2.1, 70].map(niceMax), [1, 0.5, 1, 5, 100]);
});

const row = (at: number, kind: History["kind"], rest: Partial<History> = {}): History => ({
  ...{
    at: new Date(at).toISOString(),
    kind,
    by: "step",
    runState: "running",
    version: 1,
    attempt: 0,
    position: at,
  },
  ...rest,
});

Deno.test("visitsOf tells when a run came to each status, what was tried there, and when it waited", () => {
  const visits = visitsOf([
    row(0, "trigger", { to: "a", by: "client", runState: "initiated" }),
    row(500, "error", { durationMs: 100, attempt: 1, error: { name: "Error", message: "no" } }),
    row(900, "pause", { runState: "paused", reason: "lunch" }),
    row(2_000, "error", { durationMs: 50, runState: "paused" }),
    row(3_000, "resume"),
    row(4_000, "move", { from: "a", to: "b", durationMs: 200 }),
    row(4_100, "lock-requested"),
    row(4_100, "lock-waits", { name: "shop" }),
    row(6_000, "lock-acquired", { name: "shop" }),
    row(7_000, "move", { from: "b", to: "c", durationMs: 900, runState: "completed" }),
    row(9_000, "late", { durationMs: 3_000, runState: "completed" }),
  ]);
  const times = visits.map((
    { status, from, to, attempts, failures, isLast },
  ) => [status, from, to, attempts, failures, isLast]);
  assert.deepEqual(times, [["a", 0, 4_000, 3, 2, false], ["b", 4_000, 7_000, 1, 0, false], [
    "c",
    7_000,
    7_000,
    0,
    0,
    true,
  ]]);
  const bars = visits.map((visit) => visit.bars.map(({ kind, from, to }) => [kind, from, to]));
  assert.deepEqual(bars, [
    [["failed", 400, 500], ["paused", 900, 3_000], ["failed", 1_950, 2_000], ["done", 3_800, 4_000]],
    [["lock", 4_100, 6_000], ["done", 6_100, 7_000]],
    [["late", 6_000, 9_000]],
  ]);
});

Deno.test("visitsOf leaves open what goes on, and closes it where a run is cancelled", () => {
  const rows = [row(0, "trigger", { to: "a" }), row(10, "pause", { runState: "paused" })];
  assert.equal(visitsOf(rows)[0]!.to, undefined);
  assert.equal(visitsOf(rows)[0]!.bars[0]!.to, undefined);
  const waiting = [row(0, "trigger", { to: "a" }), row(5, "lock-waits"), row(9, "late", { durationMs: 9 })];
  assert.equal(visitsOf(waiting)[0]!.bars[0]!.to, undefined);
  const [visit] = visitsOf([...rows, row(30, "cancel", { runState: "cancelled" })]);
  assert.deepEqual([visit!.to, visit!.isLast, visit!.bars[0]!.to], [30, true, 30]);
});

/** What an engine draws of a machine. */
async function drawn(definition: Definition): Promise<string> {
  const store = memoryStore();
  const engine = createEngine({ store, definitions: [definition], logger: silentLogger });
  const text = engine.diagram(definition);
  await engine.stop();
  await store.close();
  return text;
}

Deno.test("readMermaid reads back what an engine draws, whatever its statuses are called", async () => {
  const names = ["in review", "a_b", "x1_", "ein «ä»", "[*]", 'state "x" as y', "<b>&amp;</b>"] as const;
  const odd = machine("odd")
    .step(names[0], [names[1], names[2]], () => names[1])
    .step(names[1], [names[3]], () => names[3])
    .callback(names[2], [names[4], names[5]], () => names[4])
    .step(names[3], [names[6]], () => names[6])
    .build();
  const { nodes, edges } = readMermaid(await drawn(odd));
  const statuses = nodes.filter(({ kind }) => kind === "status");
  assert.deepEqual(statuses.map(({ text }) => text).sort(), [...names].sort());
  for (const { id, text } of statuses) assert.equal(id, idOfStatus(text));
  assert.deepEqual(statuses.filter(({ isStart }) => isStart).map(({ text }) => text), [names[0]]);
  assert.deepEqual(
    statuses.filter(({ isEnd }) => isEnd).map(({ text }) => text).sort(),
    names.slice(4).sort(),
  );
  assert.equal(nodes.filter(({ kind }) => kind === "choice").length, 2);
  assert.equal(edges.find(({ from }) => from === idOfStatus(names[2]))?.text, "callback");
});

/** Any graph, circles and lone nodes included. */
const graphs = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.array(fc.tuple(fc.nat(11), fc.nat(11), fc.boolean()), { maxLength: 24 }),
)
  .map(([count, arrows]) => ({
    nodes: Array.from({ length: count }, (_, n) => ({
      ...{ id: `s${n}`, text: "x".repeat((n * 5) % 17 + 1), kind: "status" as const },
      ...{ isStart: n === 0, isEnd: false },
    })),
    edges: arrows.map(([from, to, hasText]) => ({
      ...{ from: `s${from % count}`, to: `s${to % count}`, text: hasText ? "callback" : "" },
    })),
  }));

Deno.test("layoutOf lets no nodes overlap, keeps all within its size, and draws every arrow", () => {
  fc.assert(fc.property(graphs, fc.constantFrom("right" as const, "down" as const), (graph, direction) => {
    const { nodes, edges, width, height } = layoutOf(graph, direction);
    assert.equal(edges.length, graph.edges.length);
    for (const { x, y, width: w, height: h } of nodes) {
      assert.ok(x - w / 2 >= 0 && y - h / 2 >= 0 && x + w / 2 <= width && y + h / 2 <= height);
    }
    for (const { points, label, text } of edges) {
      const drawn = text === "" ? points : [...points, { x: label.x, y: label.y - 6 }];
      assert.ok(drawn.every(({ x, y }) => x >= 0 && y >= 0 && x <= width && y <= height));
    }
    nodes.forEach((a, n) =>
      nodes.slice(n + 1).forEach((b) => {
        const isApart = Math.abs(a.x - b.x) >= (a.width + b.width) / 2 ||
          Math.abs(a.y - b.y) >= (a.height + b.height) / 2;
        assert.ok(isApart, `${a.node.id} and ${b.node.id} overlap`);
      })
    );
    // Time runs one way, but for arrows that close a circle.
    const at = new Map(nodes.map((each) => [each.node.id, direction === "right" ? each.x : each.y]));
    assert.ok(edges.every(({ from, to }) => from === to || at.get(from) !== at.get(to)));
  }));
});

Deno.test("spread moves what is too close apart, keeps the order, and leaves alone what has room", () => {
  assert.deepEqual(spread([0, 100], [20, 20]), [0, 100]);
  assert.deepEqual(spread([50, 50], [20, 20]), [31, 69]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: 1, max: 90 })), {
        minLength: 1,
        maxLength: 12,
      }),
      (places) => {
        const breadths = places.map(([, breadth]) => breadth);
        const found = spread(
          places.map(([wish]) => wish),
          breadths,
        );
        found.slice(1).forEach((place, n) => {
          assert.ok(place - found[n]! >= (breadths[n]! + breadths[n + 1]!) / 2 + 18 - 1e-6);
        });
      },
    ),
  );
});
