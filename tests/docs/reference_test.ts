import assert from "node:assert/strict";
import { anchorsOf } from "../../reference/anchors.ts";
import { referenceOf } from "../../reference/pages.ts";
import { aliasText, signature, typeText } from "../../reference/type_text.ts";
import type { TypeNode } from "../../reference/doc_json.ts";

const folder = new URL("../../docs/api/", import.meta.url);
const { files, lost } = await referenceOf();

Deno.test("the reference is what the doc comments say now; deno task docs:api writes it", async () => {
  const written = new Set<string>();
  for await (const { name } of Deno.readDir(folder)) written.add(name);
  assert.deepEqual([...written].sort(), [...files.keys()].sort());
  const stale: string[] = [];
  for (const [name, text] of files) {
    if (await Deno.readTextFile(new URL(name, folder)) !== text) stale.push(name);
  }
  assert.deepEqual(stale, [], "stale pages: run deno task docs:api");
});

Deno.test("links of doc comments name what is exported, and their parameters are there", () => {
  assert.deepEqual(lost, []);
});

Deno.test("the reference has an anchor for each link into it", () => {
  const anchors = new Map([...files].map(([name, text]) => [name, anchorsOf(text)]));
  const problems: string[] = [];
  for (const [name, text] of files) {
    for (const [, page, anchor] of text.matchAll(/\]\(([\w]*\.md)?#([\w-]+)\)/g)) {
      if (!anchors.get(page ?? name)?.has(anchor!)) {
        problems.push(`${name}: ${page ?? ""}#${anchor}`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("no code of the reference runs twice, as it runs where it stands", () => {
  const fences = [...files.values()].flatMap((text) =>
    [...text.matchAll(/^\s*```(\w.*)$/gm)].map((match) => match[1]!)
  );
  assert.ok(fences.length > 300, `${fences.length} blocks`);
  assert.deepEqual(fences.filter((fence) => /^(ts|js|tsx|jsx|typescript|javascript)$/.test(fence)), []);
});

Deno.test("an interface of the reference says what each of its members means", () => {
  const bare = [...files].flatMap(([name, text]) =>
    [...text.matchAll(/^- `(?:readonly )?\w+\??: .*`$/gm)].map((match) => `${name}: ${match[0]}`)
  );
  assert.deepEqual(bare, []);
});

const word = (repr: string): TypeNode => ({ kind: "keyword", repr, value: repr });

Deno.test("types are written so that they mean the same", () => {
  const union: TypeNode = { kind: "union", value: [word("string"), word("undefined")] };
  assert.equal(typeText({ kind: "array", value: union }), "(string | undefined)[]");
  assert.equal(typeText({ kind: "array", value: word("string") }), "string[]");
  const literal: TypeNode = { kind: "literal", repr: "a", value: { kind: "string", string: 'a"b' } };
  assert.equal(typeText(literal), '"a\\"b"');
  assert.throws(() => typeText({ kind: "new in deno", value: {} }), /of kind new in deno/);
});

Deno.test("signatures that are too long for a line have each parameter in its own", () => {
  const param = (name: string) => ({ kind: "identifier" as const, name, tsType: word("string") });
  const few = { params: [param("a"), { ...param("b"), optional: true }], returnType: word("void") };
  assert.equal(signature("function f", few), "function f(a: string, b?: string): void");
  const many = { params: ["a", "b"].map((name) => param(name.repeat(50))), returnType: word("void") };
  assert.equal(
    signature("function f", many),
    `function f(\n  ${"a".repeat(50)}: string,\n  ${"b".repeat(50)}: string,\n): void`,
  );
  const wide: TypeNode = { kind: "union", value: [word("a".repeat(60)), word("b".repeat(60))] };
  assert.equal(aliasText("type T", wide), `type T =\n  | ${"a".repeat(60)}\n  | ${"b".repeat(60)}`);
});
