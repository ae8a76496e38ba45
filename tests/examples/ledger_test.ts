import assert from "node:assert/strict";
import { Ledger } from "../../examples/orders/ledger.ts";

/** A test with a ledger's path of its own. */
function withPath(name: string, run: (path: string) => Promise<void>): void {
  Deno.test(`Ledger ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await run(`${folder}/ledger.ndjson`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const cause = (stepId: string) => ({ stepId, key: `order of ${stepId}`, status: "placed" });

withPath("writes one line per effect: who, which order, at which status, when", async (path) => {
  const ledger = new Ledger(path);
  await ledger.record({ stepId: "r:1", key: "日本\n", status: "placed" });
  ledger.close();
  const text = await Deno.readTextFile(path);
  const { at, ...effect } = JSON.parse(text);
  assert.deepEqual(effect, { stepId: "r:1", order: "日本\n", status: "placed" });
  assert.equal(new Date(at).toISOString(), at);
  assert.equal(text.split("\n").length, 2);
});

withPath("absorbs an effect that it has already, also from an earlier process", async (path) => {
  const first = new Ledger(path);
  await first.record(cause("r:1"));
  await first.record(cause("r:1"));
  assert.deepEqual([first.added, first.absorbed], [1, 1]);
  first.close();
  const second = new Ledger(path);
  await second.record(cause("r:1"));
  await second.record(cause("r:2"));
  assert.deepEqual([second.added, second.absorbed], [1, 1]);
  assert.deepEqual(second.count(), { effects: 2, twice: 0 });
  second.close();
});

withPath("absorbs an effect that another living process has just made", async (path) => {
  const [one, other] = [new Ledger(path), new Ledger(path)];
  await one.record(cause("r:1"));
  await other.record(cause("r:1"));
  await other.record(cause("r:2"));
  assert.deepEqual([other.added, other.absorbed], [1, 1]);
  assert.deepEqual(one.count(), { effects: 2, twice: 0 });
  one.close();
  other.close();
});

withPath("cuts off a last line that a kill has torn, and makes its effect again", async (path) => {
  const first = new Ledger(path);
  await first.record(cause("r:1"));
  first.close();
  await Deno.writeTextFile(path, '{"stepId":"r:2","or', { append: true });
  const second = new Ledger(path);
  assert.deepEqual(second.count(), { effects: 1, twice: 0 });
  await second.record(cause("r:2"));
  assert.deepEqual([second.added, second.absorbed], [1, 0]);
  second.close();
  const stepIds = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) =>
    JSON.parse(line).stepId
  );
  assert.deepEqual(stepIds, ["r:1", "r:2"]);
});

withPath("cuts off a torn line that is all there is", async (path) => {
  await Deno.writeTextFile(path, '{"stepId":');
  const ledger = new Ledger(path);
  assert.deepEqual(ledger.count(), { effects: 0, twice: 0 });
  ledger.close();
  assert.equal(await Deno.readTextFile(path), "");
});

withPath("counts effects that the file holds twice", async (path) => {
  const line = JSON.stringify({ ...cause("r:1"), at: "" }) + "\n";
  await Deno.writeTextFile(path, line + line);
  const ledger = new Ledger(path);
  assert.deepEqual(ledger.count(), { effects: 1, twice: 1 });
  ledger.close();
});

withPath("refuses a file that is something else, and leaves it as it was", async (path) => {
  await Deno.writeTextFile(path, "my diary\n");
  assert.throws(() => new Ledger(path), /Cannot read ledger .*: this line is no effect: my diary/);
  assert.equal(await Deno.readTextFile(path), "my diary\n");
});
