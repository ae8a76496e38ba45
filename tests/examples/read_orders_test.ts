import assert from "node:assert/strict";
import { lineLengthMax, linesOf, type OrderLine, readOrders } from "../../examples/orders/read_orders.ts";

const items = [{ sku: "tea", quantity: 2, price: 350 }];

/** A line with a good order, but for the given fields. */
function lineOf(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ id: "a", items, ...fields });
}

async function read(...lines: readonly string[]): Promise<OrderLine[]> {
  return await Array.fromAsync(readOrders(lines));
}

/** The problem of a single line. */
async function problemOf(line: string): Promise<string | undefined> {
  const [first] = await read(line);
  return first && "problem" in first ? first.problem : undefined;
}

function idOf(line: OrderLine | undefined): string | undefined {
  return line && "order" in line ? line.order.id : undefined;
}

function streamOf(...chunks: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(chunks);
}

Deno.test("readOrders() gives each good line's order with its line number", async () => {
  const card = { kind: "visa", expires: "2029-04" };
  const lines = await read(lineOf({ id: "a" }), lineOf({ id: "b", card, placedAt: "2026-05-17T09:30:00Z" }));
  assert.deepEqual(lines, [
    { line: 1, order: { id: "a", items } },
    { line: 2, order: { id: "b", items, card, placedAt: "2026-05-17T09:30:00Z" } },
  ]);
});

Deno.test("readOrders() passes over blank lines and counts them", async () => {
  const lines = await read("", lineOf({ id: "a" }), "  \t", "\r", lineOf({ id: "b" }));
  assert.deepEqual(lines.map((each) => [each.line, idOf(each)]), [[2, "a"], [5, "b"]]);
});

Deno.test("readOrders() tolerates a byte order mark and CRLF", async () => {
  const lines = await read(`\uFEFF${lineOf({ id: "a" })}\r`, `${lineOf({ id: "b" })}\r`);
  assert.deepEqual(lines.map(idOf), ["a", "b"]);
});

Deno.test("readOrders() tells a line that is not JSON, with the place in the line", async () => {
  assert.equal(
    await problemOf("{nope"),
    "it is not JSON: Expected property name or '}' in JSON at position 1",
  );
  assert.match((await problemOf(lineOf({}).slice(0, -1)))!, /^it is not JSON: /);
});

Deno.test("readOrders() tells a line that is JSON but no object", async () => {
  assert.equal(await problemOf("[]"), "it is a list, want an object");
  assert.equal(await problemOf("null"), "it is null, want an object");
  assert.equal(await problemOf("42"), "it is 42, want an object");
  assert.equal(await problemOf('"text"'), 'it is "text", want an object');
});

Deno.test("readOrders() tells an id that is missing, empty, no text or too long", async () => {
  assert.equal(await problemOf("{}"), "id is missing");
  assert.equal(await problemOf(lineOf({ id: "" })), "id is empty");
  assert.equal(await problemOf(lineOf({ id: "  " })), "id is empty");
  assert.equal(await problemOf(lineOf({ id: 7 })), "id is 7, want text");
  assert.equal(await problemOf(lineOf({ id: null })), "id is null, want text");
  assert.equal(await problemOf(lineOf({ id: { a: 1 } })), "id is an object, want text");
  assert.equal(await problemOf(lineOf({ id: "k".repeat(257) })), "id has 257 characters, want 256 at most");
  assert.equal(await problemOf(lineOf({ id: "k".repeat(256) })), undefined);
});

Deno.test("readOrders() tells a duplicate id and names the line that has it", async () => {
  const lines = await read(lineOf({ id: "a" }), lineOf({ id: "b" }), lineOf({ id: "a", customer: "Ann" }));
  assert.deepEqual(lines[2], { line: 3, problem: 'id "a" is that of line 1 already' });
});

Deno.test("readOrders() gives an id to its first good line, whatever bad lines had it before", async () => {
  const lines = await read(lineOf({ id: "a", items: [] }), lineOf({ id: "a" }), lineOf({ id: "a" }));
  assert.deepEqual(lines, [
    { line: 1, problem: "items are empty" },
    { line: 2, order: { id: "a", items } },
    { line: 3, problem: 'id "a" is that of line 2 already' },
  ]);
});

Deno.test("readOrders() tells a line with a field of 1 MB, and one that grows too large when written out", async () => {
  const problem = "it has more than 255 KiB of JSON";
  assert.equal(await problemOf(lineOf({ note: "x".repeat(1_000_000) })), problem);
  assert.equal(
    await problemOf(`{"id":"a","items":${JSON.stringify(items)},"n":[${"1e20,".repeat(40_000)}0]}`),
    problem,
  );
  assert.equal(await problemOf(lineOf({ note: "x".repeat(lineLengthMax - 100) })), undefined);
});

Deno.test("readOrders() tells items that are missing, no list or empty", async () => {
  assert.equal(await problemOf('{"id":"a"}'), "items are missing");
  assert.equal(await problemOf(lineOf({ items: {} })), "items are an object, want a list");
  assert.equal(await problemOf(lineOf({ items: [] })), "items are empty");
});

Deno.test("readOrders() tells which item is bad, and how", async () => {
  const [good] = items;
  const cases: readonly (readonly [unknown, string])[] = [
    [null, "items[1] is null, want an object"],
    [{ ...good, sku: "" }, 'items[1].sku is "", want text'],
    [{ ...good, quantity: 0 }, "items[1].quantity is 0, want a whole number from 1"],
    [{ ...good, quantity: "2" }, 'items[1].quantity is "2", want a whole number from 1'],
    [{ ...good, price: -1 }, "items[1].price is -1, want cents as a whole number from 0"],
    [{ ...good, price: 9.99 }, "items[1].price is 9.99, want cents as a whole number from 0"],
    [{ sku: "x", quantity: 1 }, "items[1].price is missing, want cents as a whole number from 0"],
  ];
  for (const [item, problem] of cases) {
    assert.equal(await problemOf(lineOf({ items: [good, item] })), problem);
  }
});

Deno.test("readOrders() tells other fields of the wrong kind", async () => {
  assert.equal(await problemOf(lineOf({ customer: 5 })), "customer is 5, want text");
  assert.equal(await problemOf(lineOf({ card: "visa" })), 'card is "visa", want an object');
  assert.equal(await problemOf(lineOf({ card: { expires: "2029-04" } })), "card.kind is missing, want text");
  assert.equal(
    await problemOf(lineOf({ card: { kind: "visa", expires: "soon" } })),
    'card.expires is "soon", want a month such as "2029-04"',
  );
  assert.match((await problemOf(lineOf({ placedAt: "today" })))!, /^placedAt is "today", want a date/);
});

Deno.test("readOrders() tells fields named __proto__ and constructor, wherever they are", async () => {
  const problem = (name: string, path: string) =>
    `it has a field "${name}" (at ${path}), which no order may have`;
  const list = JSON.stringify(items);
  assert.equal(
    await problemOf(`{"id":"a","__proto__":{"id":"b"},"items":${list}}`),
    problem("__proto__", "__proto__"),
  );
  assert.equal(
    await problemOf(`{"__proto__":{"id":"b","items":${list}}}`),
    problem("__proto__", "__proto__"),
  );
  assert.equal(
    await problemOf('{"id":"a","items":[{"sku":"x","quantity":1,"price":1,"constructor":1}]}'),
    problem("constructor", "items.0.constructor"),
  );
  assert.equal(({} as { id?: string }).id, undefined);
});

Deno.test("readOrders() takes __proto__, constructor, toString and unicode as ids", async () => {
  const ids = [
    "__proto__",
    "constructor",
    "toString",
    "commande-é-日本-😀",
    "طلب",
    "e\u0301",
    "é",
    "nul\u0000",
  ];
  const lines = await read(...ids.map((id) => lineOf({ id })), lineOf({ id: "__proto__" }));
  assert.deepEqual(lines.slice(0, -1).map(idOf), ids);
  assert.deepEqual(lines.at(-1), { line: 9, problem: 'id "__proto__" is that of line 1 already' });
});

Deno.test("readOrders() tells numbers that JSON cannot keep, and trees that are too deep", async () => {
  const list = JSON.stringify(items);
  assert.equal(
    await problemOf(`{"id":"a","items":${list},"z":1e999}`),
    "z is a number too large to keep",
  );
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  assert.equal(
    await problemOf(`{"id":"a","items":${deep}}`),
    "it is nested more than 32 levels deep",
  );
});

Deno.test("linesOf() puts lines and characters together that the chunks tear apart", async () => {
  const bytes = new TextEncoder().encode("\uFEFFé\r\n日本\n\n😀");
  const single = [...bytes].map((byte) => new Uint8Array([byte]));
  assert.deepEqual(await Array.fromAsync(linesOf(streamOf(...single))), ["é\r", "日本", "", "😀"]);
  assert.deepEqual(await Array.fromAsync(linesOf(streamOf(bytes))), ["é\r", "日本", "", "😀"]);
  assert.deepEqual(await Array.fromAsync(linesOf(streamOf())), []);
});

Deno.test("linesOf() keeps only the front of a line that is too long, and finds the next", async () => {
  const chunk = new TextEncoder().encode("x".repeat(64 * 1024));
  const lines = await Array.fromAsync(
    linesOf(streamOf(...Array(40).fill(chunk), new TextEncoder().encode("\nnext\n"))),
  );
  assert.equal(lines.length, 2);
  assert.ok(lines[0]!.length > lineLengthMax && lines[0]!.length < 2 * lineLengthMax);
  assert.equal(lines[1], "next");
});

Deno.test("readOrders() tells a line that is not UTF-8, and reads the next", async () => {
  const good = new TextEncoder().encode(`\n${lineOf({ id: "b" })}\n`);
  const lines = await Array.fromAsync(
    readOrders(linesOf(streamOf(new Uint8Array([0x22, 0xff, 0x22]), good))),
  );
  assert.deepEqual(lines[0], { line: 1, problem: "it is not UTF-8 text" });
  assert.equal(idOf(lines[1]), "b");
});

Deno.test("orders.ndjson holds 200 varied good orders, as make_orders.ts writes them", async () => {
  const folder = new URL("../../examples/orders/", import.meta.url);
  const text = await Deno.readTextFile(new URL("orders.ndjson", folder));
  const lines = await read(...text.split("\n"));
  assert.equal(lines.filter((line) => "order" in line).length, 200);
  assert.equal(lines.length, 200);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", new URL("make_orders.ts", folder).href],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), text);
});
