import assert from "node:assert/strict";
import { Ledger } from "./ledger.ts";
import { damageOf, LedgerReader } from "./ledger_reader.ts";

async function inFile(run: (path: string) => void): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "pawl-ledger-" });
  try {
    run(path);
  } finally {
    await Deno.remove(path);
  }
}

/** What a process leaves that is killed within a write. */
function tear(path: string, text: string): void {
  using file = Deno.openSync(path, { append: true });
  file.writeSync(new TextEncoder().encode(`\n${text}`));
}

const event = (name: string, to: string) => ({ what: "event", name, to } as const);

Deno.test("LedgerReader gives the lines of several writers in the order of their writes", () =>
  inFile((path) => {
    const [one, other] = [new Ledger(path, "one"), new Ledger(path, "other")];
    const reader = new LedgerReader(path);
    one.write(event("a", "x"));
    assert.equal(reader.read().length, 1);
    other.write(event("b", "x"));
    one.write(event("c", "x"));
    const told = reader.read().map((line) => `${line.by}#${line.n} ${line.what === "event" && line.name}`);
    assert.deepEqual(told, ["one#1 a", "other#1 b", "one#2 c"]);
    assert.deepEqual(damageOf(reader.lines, reader.torn), []);
    one.close();
    other.close();
  }));

Deno.test("LedgerReader loses no line of another writer by one that is torn", () =>
  inFile((path) => {
    const [killer, victim] = [new Ledger(path, "killer"), new Ledger(path, "victim")];
    const reader = new LedgerReader(path);
    victim.write(event("a", "x"));
    killer.write(event("kill", "victim"));
    tear(path, '{"by":"victim","n":2,"at":12,"wha');
    assert.equal(reader.read().length, 2);
    killer.write(event("ended", "victim"));
    assert.deepEqual(reader.read().map(({ by, n }) => `${by}#${n}`), ["victim#1", "killer#1", "killer#2"]);
    assert.deepEqual(reader.torn, [{ text: '{"by":"victim","n":2,"at":12,"wha', after: 2 }]);
    assert.deepEqual(damageOf(reader.lines, reader.torn), []);
    // Nobody writes after his end.
    victim.write(event("b", "x"));
    victim.write(event("c", "x"));
    assert.match(damageOf(reader.read(), reader.torn).join(), /line 2 of victim is torn/);
    killer.close();
    victim.close();
  }));
