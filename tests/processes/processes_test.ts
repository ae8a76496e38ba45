import assert from "node:assert/strict";
import { testWithSqld } from "../sqld/server.ts";
import { Clients } from "./clients.ts";
import { runEpisode } from "./episode.ts";
import { Fleet, type Member } from "./fleet.ts";
import { Ledger, type Line } from "./ledger.ts";
import { LedgerReader } from "./ledger_reader.ts";
import { makePlace, type Place, type StoreKind } from "./place.ts";
import { sleep } from "./trail.ts";

/** A test with a place of its own, whose files are kept when it fails. */
function inPlace(kind: StoreKind, name: string, run: (place: Place) => Promise<void>): void {
  const test = kind === "file" ? Deno.test : testWithSqld;
  test(`worker processes on ${kind} ${name}`, async () => {
    const place = await makePlace(kind);
    try {
      await run(place);
    } catch (error) {
      throw new Error(`${(error as Error).message}\nfiles are kept in ${place.folder}`, { cause: error });
    } finally {
      await place.close();
    }
    await Deno.remove(place.folder, { recursive: true });
  });
}

/** Of chaos, in each life; what comes after it takes as long again. */
const seconds = 4;

for (const [kind, seeds] of [["file", [7, 8]], ["sqld", [3, 4]]] as const) {
  inPlace(kind, "keep every promise through kills and stops, twice in a row", async (place) => {
    for (const [index, seed] of seeds.entries()) {
      const said: string[] = [];
      const say = (line: string) => void said.push(line);
      const name = "ab"[index]!;
      const crew = { workers: 4, clients: 1, receivers: 1, load: 30 };
      const { violations, counts } = await runEpisode({ place, name, seed, seconds, ...crew, say });
      const again =
        `deno task processes --seconds ${seconds} --seed ${seed} --store ${kind} --clients 1 --load 30`;
      assert.deepEqual(
        violations,
        [],
        `${said.at(-1)}\nseed ${seed}, again: ${again}\n${violations.join("\n")}`,
      );
      // A fleet that did nothing would prove nothing.
      assert.ok(counts["steps landed"]! > 50, JSON.stringify(counts));
      for (
        const done of ["callbacks applied", "timers fired", "hooks done", "events received", "events handled"]
      ) {
        assert.ok(counts[done]! > 0, `${done}: ${JSON.stringify(counts)}`);
      }
    }
  });
}

/** What directed tests are given. */
interface Scene {
  readonly fleet: Fleet;
  readonly clients: Clients;
  /** Starts a worker and waits until it is up. */
  up(): Promise<Member>;
  /** The first line of the ledger that fits, once it is there. */
  line(fits: (line: Line) => boolean): Promise<Line>;
  /** Resolves when it is true. */
  until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void>;
}

/** Patience with what must come, however slow the machine. */
const patienceMs = 30_000;

async function inScene(place: Place, play: (scene: Scene) => Promise<void>): Promise<void> {
  const ledger = new Ledger(place.ledger, "test");
  const reader = new LedgerReader(place.ledger);
  const store = place.open();
  const clients = new Clients(store, ledger, 1, "c");
  const fleet = new Fleet(place, ledger);
  const until: Scene["until"] = async (what, isTrue) => {
    for (const end = performance.now() + patienceMs; !await isTrue();) {
      assert.ok(performance.now() < end, `${what}, but not within ${patienceMs} ms`);
      await sleep(50);
    }
  };
  try {
    await play({
      fleet,
      clients,
      until,
      async up() {
        const worker = fleet.start();
        await worker.started;
        return worker;
      },
      async line(fits) {
        await until("a line is to be written", () => reader.read().some(fits));
        return reader.lines.find(fits)!;
      },
    });
    assert.deepEqual(fleet.failed, []);
  } finally {
    await fleet.killAll();
    await clients.engine.stop({ grace: 0 });
    await store.close();
    ledger.close();
  }
}

for (const kind of ["file", "sqld"] as const) {
  inPlace(
    kind,
    "let nothing of a zombie land, and it works again afterwards",
    (place) =>
      inScene(place, async ({ fleet, clients, up, line, until }) => {
        const { engine } = clients;
        const zombie = await up();
        const runId = await clients.trigger("patient", "one");
        const begins = (by: string, run: string) => (each: Line) =>
          each.what === "began" && each.by === by && each.stepId.startsWith(run);
        await line(begins(zombie.name, runId));
        fleet.freeze(zombie);
        const other = await up();
        const patient = clients.machine("patient");
        const ended = await engine.await(patient, "one", { runId, timeout: patienceMs });
        assert.equal(ended.runState, "completed");
        const before = await engine.history({ runId });
        assert.ok(before.some((row) => row.kind === "interrupted"), "the other one took over");
        fleet.thaw(zombie);
        // It wakes in the middle of its step, makes the effect once more, and tries to land.
        await line((each) =>
          each.what === "effect" && each.by === zombie.name && each.stepId === `${runId}:1`
        );
        await fleet.leave(other);
        const next = await clients.trigger("patient", "two");
        await engine.await(patient, "two", { runId: next, timeout: patienceMs });
        await line(begins(zombie.name, next));
        assert.deepEqual(await engine.history({ runId }), before);
        await fleet.leave(zombie);
        await until(
          "all shards are free",
          async () => (await engine.admin.shards()).every((each) => each.engineId === undefined),
        );
      }),
  );

  inPlace(
    kind,
    "share their shards, hand them on when they leave, and lose them when they die",
    (place) =>
      inScene(place, async ({ fleet, clients, up, line, until }) => {
        const { admin } = clients.engine;
        const ownedBy = async ({ name }: Member) => {
          const started = await line((each) =>
            each.what === "event" && each.name === "started" && each.to === name
          );
          const engineId = started.what === "event" ? started.engineId : undefined;
          await until(`${name} owns all`, async () => {
            const shards = await admin.shards();
            return shards.length > 0 && shards.every((each) => each.engineId === engineId);
          });
        };
        const first = await up();
        await ownedBy(first);
        const second = await up();
        await fleet.leave(first);
        await ownedBy(second);
        const third = await up();
        await fleet.kill(second);
        await ownedBy(third);
        const runId = await clients.trigger("order", "last");
        const run = await clients.engine.await(clients.machine("order"), "last", {
          runId,
          timeout: patienceMs,
        });
        assert.equal(run.status, "shipped");
      }),
  );
}
