import assert from "node:assert/strict";
import { fileStore } from "../file_store.ts";
import { createEngine, type Engine, machine, silentLogger, type Store } from "../../mod.ts";

/** The runs of the other processes, as this one triggers them. */
const work = machine("work").step("new", ["done"], () => "done", { lock: "m" }).build();

/** Generous: the machine may be busy. */
const patienceMs = 60_000;

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!await isSo()) {
    if (performance.now() > end) throw new Error(`it has not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A file, a ledger beside it, an engine that only asks, and processes that end with the test. */
class Scene {
  readonly folder: string;
  readonly engine: Engine;
  readonly #children = new Set<Deno.ChildProcess>();
  readonly #store: Store;

  constructor(folder: string) {
    this.folder = folder;
    this.#store = fileStore({ url: `file:${folder}/locks.db` });
    const options = { definitions: [work], work: false, poll: "50ms", logger: silentLogger } as const;
    this.engine = createEngine({ store: this.#store, ...options });
  }

  get ledger(): string {
    return `${this.folder}/ledger`;
  }

  lines(): string[][] {
    try {
      return Deno.readTextFileSync(this.ledger).trim().split("\n").filter(Boolean).map((line) =>
        line.split(" ")
      );
    } catch {
      return [];
    }
  }

  start(role: "worker" | "caller"): Deno.ChildProcess {
    const script = new URL("lock_process.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--frozen", script, role, `${this.folder}/locks.db`, this.ledger];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "inherit" }).spawn();
    this.#children.add(child);
    return child;
  }

  async kill(child: Deno.ChildProcess): Promise<void> {
    this.#children.delete(child);
    child.kill("SIGKILL");
    await child.status;
  }

  async end(): Promise<void> {
    for (const child of this.#children) await this.kill(child);
    await this.engine.stop({ grace: 0 });
    await this.#store.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Nobody enters before the one before has left, but the run that was under the lock when its process was killed. */
function checkLedger(lines: readonly string[][]): void {
  let inside: string | undefined;
  let last = 0;
  for (const [what, key, token] of lines) {
    const who = `${key} ${token}`;
    if (what === "enter") {
      assert.ok(inside === undefined || inside === who, `${who} enters beside ${inside}`);
      assert.ok(Number(token) >= last, `${who} enters after token ${last}`);
      last = Number(token);
      inside = who;
    } else {
      assert.equal(inside, who);
      inside = undefined;
    }
  }
}

async function inScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = new Scene(await Deno.makeTempDir({ prefix: "pawl-locks-" }));
  try {
    await body(scene);
  } finally {
    await scene.end();
  }
}

Deno.test("a process that is killed under a lock: its run resumes as holder, and the others follow in turn", () =>
  inScene(async (scene) => {
    const { engine } = scene;
    const keys = ["k0", "k1", "k2", "k3", "k4", "k5"];
    for (const key of keys) await engine.trigger(work, key);
    for (let round = 0; round < 2; round++) {
      const before = scene.lines().length;
      const victim = scene.start("worker");
      await until("a run is under the lock", () => {
        const lines = scene.lines();
        return lines.length > before && lines.at(-1)![0] === "enter";
      });
      await scene.kill(victim);
    }
    scene.start("worker");
    scene.start("worker");
    await until(
      "all runs have ended",
      async () =>
        (await Promise.all(keys.map((key) => engine.get(work, key)))).every((run) =>
          run!.runState === "completed"
        ),
    );
    const lines = scene.lines();
    checkLedger(lines);
    const entries = lines.filter(([what]) => what === "enter");
    assert.equal(new Set(entries.map(([, , token]) => token)).size, keys.length, "each run has one token");
    // What is looked at while others work may be half done.
    await until("all is well", async () => (await engine.admin.verify()).ok);
    // A run has ended before its lock is given back, which is a chore.
    await until("the lock is free", async () => (await engine.locks.inspect("m"))!.holders.length === 0);
  }));

Deno.test("a caller that is killed: its lock passes on when its hold is over, and not before", () =>
  inScene(async (scene) => {
    const { engine } = scene;
    const caller = scene.start("caller");
    await until("it holds the lock", () => scene.lines().length > 0);
    assert.equal(await engine.mutex("m").tryAcquire(), undefined);
    const waiting = engine.mutex("m").acquire();
    // Longer than its hold: it is renewed.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const info = await engine.locks.inspect("m");
    assert.deepEqual([info!.holders[0]!.token, info!.waiting], [1, 1]);
    await scene.kill(caller);
    const hold = await waiting;
    assert.equal(hold.token, 2);
    await hold.release();
  }));
