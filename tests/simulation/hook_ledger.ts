import type { RunView } from "../../core/engine/run_view.ts";
import { choreId, decodeChore, type HookKind, hookKindOf, runIdOfChore } from "../../core/parts/chore.ts";
import { encodeRecord, type RunRecord } from "../../core/parts/run_record.ts";
import type { Batch } from "../../core/store/store.ts";
import { hooks } from "./graphs.ts";
import type { Host } from "./host.ts";
import type { Trail } from "./machines.ts";
import { short } from "./run_checks.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** A hook that a change of a run has called for. */
interface Call {
  readonly kind: HookKind;
  /** The record as the change left it. */
  readonly run: RunRecord;
  /** How often it was begun. */
  begun: number;
  /** It has come to its end without an error. */
  done: boolean;
  parked: boolean;
}

/** Which hooks are to run, written in the batch of their change; and which have run, on what. */
export class HookLedger {
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #calls = new Map<string, Call>();

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
  }

  /** A change of a run's state brings its hooks, and a row of each in the same batch. */
  changed(before: RunRecord, after: RunRecord, batch: Batch): void {
    const kind = hookKindOf(before.state, after.state);
    if (!kind) return;
    hooks[kind].forEach((name, index) => {
      const id = choreId(after, index);
      const row = batch.puts.find(({ key }) => key === `chore ${after.id} ${id}`);
      if (!row) {
        return this.#world.violate(
          "hook",
          `${kind} hook "${name}" of run ${after.id} is not written with it`,
        );
      }
      const chore = decodeChore(id, row.value);
      if (encodeRecord(chore.run) !== encodeRecord(after) || chore.kind !== kind || chore.hook !== name) {
        this.#world.violate("hook", `chore ${id} does not tell of the ${kind} it was written with`);
      }
      this.#calls.set(id, { kind, run: after, begun: 0, done: false, parked: false });
    });
  }

  /** A row of a hook is written or deleted: it goes when its hook has run, and not before. */
  applied(batch: Batch): void {
    for (const { key, value } of batch.puts) {
      if (!key.startsWith("chore ")) continue;
      const id = key.split(" ")[2]!;
      const call = this.#calls.get(id);
      if (!call) this.#world.violate("hook", `chore ${id} belongs to no change`);
      else call.parked = decodeChore(id, value).due === undefined;
    }
    for (const key of batch.deletes) {
      if (!key.startsWith("chore ")) continue;
      const id = key.split(" ")[2]!;
      const call = this.#calls.get(id);
      if (call?.parked) this.#shadow.checks.disposal.leaving.add(runIdOfChore(id));
      if (!call || call.done || call.parked) continue;
      this.#world.violate(
        "hook",
        `chore ${id} is removed, though its ${call.kind} hook has not run to its end`,
      );
    }
  }

  /** A finite world ends with each hook run, but those that went, parked, with their run. */
  checkEnd(): void {
    for (const [id, { kind, done, parked }] of this.#calls) {
      if (done || (parked && !this.#shadow.run(runIdOfChore(id)))) continue;
      this.#world.violate("I9", `${kind} hook ${id} has never run to its end`);
    }
  }

  /** The user code of a hook. */
  handler(host: Host, kind: HookKind, index: number): (view: RunView<Trail>) => unknown {
    const world = this.#world;
    return (view) => {
      const call = this.#begun(host, kind, index, view);
      const secret = view.data?.secret;
      const end = () => {
        if (world.fault("hook throws", 0.3)) throw new Error(`the hook saw ${secret}`);
        if (call) call.done = true;
      };
      if (world.chance(0.5)) return end();
      const delay = world.chance(0.2) && !world.calm ? world.between(100, 1_500) : world.between(0, 20);
      return new Promise<void>((resolve, reject) =>
        host.later(delay, () => {
          try {
            resolve(end());
          } catch (error) {
            reject(error);
          }
        })
      );
    };
  }

  #begun(host: Host, kind: HookKind, index: number, view: RunView<Trail>): Call | undefined {
    const { runId, version, status, runState, data } = view;
    const id = `${runId}-${version}-${index}`;
    this.#world.log(`${host.name} runs ${kind} hook ${index} of run ${short(runId)} v${version}`);
    const call = this.#calls.get(id);
    if (call?.kind !== kind) {
      this.#world.violate(
        "hook",
        `${kind} hook ${index} of run ${runId} runs for no change to version ${version}`,
      );
      return undefined;
    }
    call.begun++;
    const { run } = call;
    if (status !== run.status || runState !== run.state) {
      this.#world.violate("hook", `${kind} hook of ${id} sees ${runState} at ${status}, want ${run.state}`);
    }
    const state = this.#shadow.run(runId)?.state;
    const isErased = !state || state === "deletion-requested" || state === "deleted";
    if (JSON.stringify(data) !== run.payload && !isErased) {
      this.#world.violate("hook", `${kind} hook of ${id} sees ${JSON.stringify(data)}, want ${run.payload}`);
    }
    return call;
  }
}
