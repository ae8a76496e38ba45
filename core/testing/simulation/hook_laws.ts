import type { RunView } from "../../engine/run_view.ts";
import {
  choreId,
  decodeChore,
  type HookKind,
  hookKindOf,
  lockChoreId,
  runIdOfChore,
  scheduleHook,
} from "../../parts/chore.ts";
import { isFinished, type RunRecord } from "../../parts/run_record.ts";
import { encodeRecord } from "../../parts/run_row.ts";
import type { Batch } from "../../store/store.ts";
import type { DisposalLaws } from "./disposal_laws.ts";
import type { Host } from "./host.ts";
import { dataTextOf, type LawOptions, short } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** A hook that a change of a run has called for. */
export interface HookCall {
  readonly kind: HookKind;
  /** The record as the change left it. */
  readonly run: RunRecord;
  /** Its code was told of the change. */
  begun: boolean;
  /** It has come to its end without an error. */
  done: boolean;
  parked: boolean;
}

/** Which hooks are to run, written in the batch of their change; and which have run, on what. */
export class HookLaws {
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #options: LawOptions;
  readonly #disposal: DisposalLaws;
  readonly #calls = new Map<string, HookCall>();

  constructor(world: World, shadow: Shadow, options: LawOptions, disposal: DisposalLaws) {
    this.#world = world;
    this.#shadow = shadow;
    this.#options = options;
    this.#disposal = disposal;
  }

  /** A change of a run's state brings its hooks, and a row of each in the same batch. */
  changed(before: RunRecord, after: RunRecord, batch: Batch): void {
    this.#givesBack(before, after, batch);
    const kind = hookKindOf(before.state, after.state);
    const hooks = kind && this.#options.behaviours.get(after.definition)!.hooks?.(kind);
    if (after.origin && isFinished(after.state) && !isFinished(before.state)) {
      this.#ended(after, hooks?.length ?? 0, batch);
    }
    if (!kind) return;
    hooks?.forEach(({ name }, index) => {
      const id = choreId(after, index);
      const row = batch.puts.find(({ key }) => key === `chore ${after.id} ${id}`);
      const isThere = this.#world.expect(
        row !== undefined,
        "hook",
        () => `${kind} hook "${name}" of run ${after.id} is not written with it`,
      );
      if (!isThere) return;
      const chore = decodeChore(id, row!.value);
      this.#world.expect(
        encodeRecord(chore.run) === encodeRecord(after) && chore.kind === kind && chore.hook === name,
        "hook",
        () => `chore ${id} does not tell of the ${kind} it was written with`,
      );
      this.#calls.set(id, { kind, run: after, begun: false, done: false, parked: false });
    });
  }

  /** The end of a run of a schedule brings a row for the schedule. */
  #ended(run: RunRecord, index: number, batch: Batch): void {
    const id = choreId(run, index);
    const row = batch.puts.find(({ key }) => key === `chore ${run.id} ${id}`);
    const isThere = row && decodeChore(id, row.value).hook === scheduleHook;
    this.#world.expect(
      isThere === true,
      "I12",
      () => `the end of run ${run.id} is not written for its schedule`,
    );
    // When it may go is another law's.
    this.#calls.set(id, { kind: "complete", run, begun: true, done: true, parked: false });
  }

  /** What a run had of a lock, or had asked for, it gives back in the batch in which it parts with it. */
  #givesBack(before: RunRecord, after: RunRecord, batch: Batch): void {
    if (!before.lock || after.lock?.request === before.lock.request) return;
    const id = lockChoreId(after);
    const isThere = batch.puts.some(({ key }) => key === `chore ${after.id} ${id}`);
    this.#world.expect(
      isThere,
      "I11",
      () => `run ${after.id} parts with its lock, and does not give it back`,
    );
    // When it may go is another law's.
    this.#calls.set(id, { kind: "complete", run: after, begun: false, done: true, parked: false });
  }

  /** A row of a hook is written or deleted: it goes when its hook has run, and not before. */
  applied(batch: Batch): void {
    for (const { key, value } of batch.puts) {
      if (!key.startsWith("chore ")) continue;
      const id = key.split(" ")[2]!;
      const call = this.#calls.get(id);
      this.#world.expect(call !== undefined, "hook", () => `chore ${id} belongs to no change`);
      if (call) call.parked = decodeChore(id, value).due === undefined;
    }
    for (const key of batch.deletes) {
      if (!key.startsWith("chore ")) continue;
      const id = key.split(" ")[2]!;
      const call = this.#calls.get(id);
      if (call?.parked) this.#disposal.leaves(runIdOfChore(id));
      this.#world.expect(
        !call || call.done || call.parked,
        "hook",
        () => `chore ${id} is removed, though its ${call!.kind} hook has not run to its end`,
      );
    }
  }

  /**
   * The power was cut. What hooks were told of is still so, as it may have been told to others; and who has run to his end has
   * done so, wherever his row is now.
   */
  inherit(before: HookLaws): void {
    for (const [id, { kind, begun, done }] of before.#calls) {
      const call = this.#calls.get(id);
      this.#world.expect(
        !begun || call !== undefined,
        "hook",
        () => `${kind} hook ${id} was told of what is gone with the power`,
      );
      if (call) Object.assign(call, { begun, done });
    }
  }

  /** A finite world ends with each hook run, but those that went, parked, with their run. */
  checkEnd(): void {
    for (const [id, { kind, done, parked }] of this.#calls) {
      const isOver = done || (parked && !this.#shadow.run(runIdOfChore(id)));
      this.#world.expect(isOver, "I9", () => `${kind} hook ${id} has never run to its end`);
    }
  }

  /** The user code of a hook begins. */
  started(host: Host, kind: HookKind, index: number, view: RunView): HookCall | undefined {
    const { runId, version, status, runState, data } = view;
    const world = this.#world;
    const id = `${runId}-${version}-${index}`;
    world.log(`${host.name} runs ${kind} hook ${index} of run ${short(runId)} v${version}`);
    const call = this.#calls.get(id);
    const isCalled = world.expect(
      call?.kind === kind,
      "hook",
      () => `${kind} hook ${index} of run ${runId} runs for no change to version ${version}`,
    );
    if (!isCalled || !call) return undefined;
    const { run } = call;
    call.begun = true;
    world.expect(
      status === run.status && runState === run.state,
      "hook",
      () => `${kind} hook of ${id} sees ${runState} at ${status}, want ${run.state}`,
    );
    const state = this.#shadow.run(runId)?.state;
    const isErased = !state || state === "deletion-requested" || state === "deleted";
    const wanted = dataTextOf(this.#options, run);
    world.expect(
      isErased || JSON.stringify(data) === wanted,
      "hook",
      () => `${kind} hook of ${id} sees ${JSON.stringify(data)}, want ${wanted}`,
    );
    return call;
  }
}
