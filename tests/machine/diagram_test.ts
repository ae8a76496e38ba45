import fc from "fast-check";
import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import type { Transition } from "../../core/engine/behaviour.ts";
import { diagramOf } from "../../core/engine/diagram.ts";
import type { DiagramSource } from "../../core/engine/diagram_options.ts";
import { type Behaviour, createEngine, type DiagramDirection, machine } from "../../mod.ts";

/** A machine whose statuses are those of its transitions, and starts where the first begins. */
function sourceOf(...transitions: readonly Transition[]): DiagramSource {
  return { name: "orders", start: transitions[0]!.from, statuses: [], transitions };
}

/** The lines of a diagram after its head, without their indentation. */
function bodyOf(source: DiagramSource): string[] {
  return diagramOf(source).trimEnd().split("\n").slice(2).map((line) => line.trim());
}

Deno.test("diagramOf() draws start, ends, and choices", () => {
  const text = diagramOf(sourceOf(
    { from: "placed", to: ["paid", "declined"], by: "step" },
    { from: "paid", to: ["shipped"], by: "step" },
  ));
  assert.equal(
    text,
    `stateDiagram-v2
  direction LR
  state "placed" as s_placed
  state "paid" as s_paid
  state "declined" as s_declined
  state "shipped" as s_shipped
  [*] --> s_placed
  state choice1_s_placed <<choice>>
  s_placed --> choice1_s_placed
  choice1_s_placed --> s_paid
  choice1_s_placed --> s_declined
  s_paid --> s_shipped
  s_declined --> [*]
  s_shipped --> [*]
`,
  );
});

Deno.test("diagramOf() draws in each of the four directions, and refuses any other", () => {
  const source = sourceOf({ from: "a", to: ["b"], by: "step" });
  for (const direction of ["LR", "RL", "TB", "BT"] as const) {
    assert.equal(diagramOf(source, { direction }).split("\n")[1], `  direction ${direction}`);
  }
  for (const direction of ["TD", "lr", "", null, 1, "LR\n  [*] --> x", ["LR"]]) {
    assert.throws(() => diagramOf(source, { direction: direction as DiagramDirection }), {
      code: "INVALID_ARGUMENT",
      message: /Cannot draw diagram of "orders": got direction .*, want "LR", "RL", "TB", "BT"/,
    });
  }
});

Deno.test("diagramOf() marks the status where a run is, and refuses one that is none", () => {
  const source = sourceOf({ from: "a", to: ["b"], by: "step" });
  const text = diagramOf(source, { status: source.start });
  assert.equal(text.split("\n").at(-2), `  class s_${source.start} here`);
  assert.ok(text.includes("  classDef here "));
  assert.throws(() => diagramOf(source, { status: "nowhere" }), { code: "UNKNOWN_STATUS" });
});

Deno.test("diagramOf() says what is a callback and when a timeout comes", () => {
  assert.deepEqual(
    bodyOf(sourceOf(
      { from: "a", to: ["b"], by: "step", label: "every day" },
      { from: "a", to: ["b"], by: "callback" },
      { from: "a", to: ["b"], by: "callback", label: "webhook" },
      { from: "a", to: ["b"], by: "timeout" },
      { from: "a", to: ["b"], by: "timeout", label: "after 7d" },
      { from: "a", to: ["b"], by: "timeout", label: "" },
    )).filter((line) => line.startsWith("s_a -->")),
    [
      "s_a --> s_b: every day",
      "s_a --> s_b: callback",
      "s_a --> s_b: webhook",
      "s_a --> s_b: timeout",
      "s_a --> s_b: after 7d",
      "s_a --> s_b",
    ],
  );
});

Deno.test("diagramOf() gives each choice of a status a node, and puts the label before it", () => {
  assert.deepEqual(
    bodyOf(sourceOf(
      { from: "paid", to: ["shipped", "lost"], by: "callback" },
      { from: "paid", to: ["expired", "paid"], by: "timeout", label: "after 7d" },
    )).slice(5, -3),
    [
      "state choice1_s_paid <<choice>>",
      "s_paid --> choice1_s_paid: callback",
      "choice1_s_paid --> s_shipped",
      "choice1_s_paid --> s_lost",
      "state choice2_s_paid <<choice>>",
      "s_paid --> choice2_s_paid: after 7d",
      "choice2_s_paid --> s_expired",
      "choice2_s_paid --> s_paid",
    ],
  );
});

Deno.test("diagramOf() takes a status that leads only to itself for no end, and one destination twice for one", () => {
  assert.deepEqual(bodyOf(sourceOf({ from: "tick", to: ["tick", "tick"], by: "step" })), [
    'state "tick" as s_tick',
    "[*] --> s_tick",
    "s_tick --> s_tick",
  ]);
});

Deno.test("diagramOf() makes one arrow of all that lead from a status to itself, as Mermaid draws but one", () => {
  assert.deepEqual(
    bodyOf(sourceOf(
      { from: "a", to: ["a"], by: "step" },
      { from: "b", to: ["b"], by: "callback" },
      { from: "a", to: ["a", "b"], by: "callback" },
      { from: "a", to: ["a"], by: "timeout", label: "after 1h" },
    )).slice(3),
    [
      "s_a --> s_a: step or after 1h",
      "s_b --> s_b: callback",
      "state choice1_s_a <<choice>>",
      "s_a --> choice1_s_a: callback",
      "choice1_s_a --> s_a",
      "choice1_s_a --> s_b",
    ],
  );
});

Deno.test("diagramOf() draws statuses that nothing leads to, and a start that is an end", () => {
  const source = { name: "orders", start: "only", statuses: ["lost", "only"], transitions: [] };
  assert.deepEqual(bodyOf(source), [
    'state "only" as s_only',
    'state "lost" as s_lost',
    "[*] --> s_only",
    "s_only --> [*]",
    "s_lost --> [*]",
  ]);
});

Deno.test("diagramOf() draws no end at a status whose callback leads nowhere, as a run waits there", () => {
  assert.deepEqual(bodyOf(sourceOf({ from: "a", to: [], by: "callback" })), [
    'state "a" as s_a',
    "[*] --> s_a",
  ]);
});

Deno.test("diagramOf() keeps apart statuses that look like each other's ids", () => {
  const alike = [
    "a b",
    "a_b",
    "a__b",
    "a-b",
    "a_x20_b",
    "a_x5f_b",
    "A b",
    "a  b",
    "a\tb",
    "a\u00a0b",
    "choice1_s_a",
  ];
  const ids = alike.map((status) =>
    /as (\w+)/.exec(bodyOf(sourceOf({ from: status, to: [], by: "step" }))[0]!)![1]
  );
  assert.equal(new Set(ids).size, alike.length, ids.join(" "));
});

Deno.test("diagramOf() gives no two statuses the same id", () => {
  const alike = fc.string({
    unit: fc.constantFrom("_", "x", "2", "0", "5", "f", " ", "é", "A", "a"),
    minLength: 1,
  });
  fc.assert(fc.property(fc.uniqueArray(alike, { minLength: 2 }), (statuses) => {
    const text = diagramOf({ name: "x", start: statuses[0]!, statuses, transitions: [] });
    const ids = [...text.matchAll(/ as (\w+)$/gm)].map((match) => match[1]);
    assert.equal(new Set(ids).size, statuses.length);
  }));
});

Deno.test("diagramOf() draws what docs/diagrams.md shows", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/diagrams.md", import.meta.url));
  const shown = /```mermaid\n([\s\S]*?)```/.exec(page)![1];
  assert.equal(
    diagramOf(sourceOf(
      { from: "placed", to: ["paid", "declined"], by: "step" },
      { from: "paid", to: ["shipped"], by: "step" },
    )),
    shown,
  );
});

Deno.test("engine.diagram() draws a machine it carries, also when it is stopped", async () => {
  const orders = machine("orders")
    .step("placed", ["paid", "declined"], () => "paid")
    .step("paid", ["shipped"], () => "shipped")
    .build();
  const store = memoryStore();
  const engine = createEngine({ store, definitions: [orders] });
  const text = engine.diagram(orders);
  assert.equal(
    text,
    diagramOf(sourceOf(
      { from: "placed", to: ["paid", "declined"], by: "step" },
      { from: "paid", to: ["shipped"], by: "step" },
    )),
  );
  assert.equal(engine.diagram(orders, { direction: "TB" }), text.replace("direction LR", "direction TB"));
  assert.throws(() => engine.diagram(orders, { direction: "up" as DiagramDirection }), {
    code: "INVALID_ARGUMENT",
  });
  await engine.stop();
  assert.equal(engine.diagram(orders), text);
  await store.close();
});

Deno.test("engine.diagram() draws the callbacks and timeouts of a machine", async () => {
  const orders = machine("orders")
    .step("placed", ["paid"], () => "paid")
    .callback("paid", ["shipped", "lost"], () => "shipped")
    .timeout("paid", ["expired"], { after: "7d" }, () => "expired")
    .timeout("paid", ["expired"], () => undefined, () => "expired")
    .build();
  const store = memoryStore();
  const engine = createEngine({ store, definitions: [orders] });
  assert.equal(
    engine.diagram(orders),
    `stateDiagram-v2
  direction LR
  state "placed" as s_placed
  state "paid" as s_paid
  state "shipped" as s_shipped
  state "lost" as s_lost
  state "expired" as s_expired
  [*] --> s_placed
  s_placed --> s_paid
  state choice1_s_paid <<choice>>
  s_paid --> choice1_s_paid: callback
  choice1_s_paid --> s_shipped
  choice1_s_paid --> s_lost
  s_paid --> s_expired: after 7d
  s_paid --> s_expired: timeout
  s_shipped --> [*]
  s_lost --> [*]
  s_expired --> [*]
`,
  );
  await engine.stop();
  await store.close();
});

Deno.test("engine.diagram() refuses what it does not carry, and what has no graph", async () => {
  const orders = machine("orders").step("a", ["b"], () => "b").build();
  const { diagram: _, ...rest } = orders.behaviour;
  const behaviour: Behaviour = { ...rest, withDefaults: () => behaviour };
  const store = memoryStore();
  const engine = createEngine({ store, definitions: [{ name: "plain", behaviour }] });
  assert.throws(() => engine.diagram(orders), { code: "UNKNOWN_DEFINITION" });
  assert.throws(() => engine.diagram({ name: "plain", behaviour }), {
    code: "UNSUPPORTED",
    message: /Cannot draw diagram of "plain"/,
  });
  await engine.stop();
  await store.close();
});
