/**
 * Lives a scenario on an engine, in virtual time, and takes its picture.
 *
 * @module
 */
import { outline } from "../../core/engine/run_view.ts";
import type { RunRecord } from "../../core/parts/run_record.ts";
import { type RecordedStore, recordedStore } from "../../core/testing/recorded_store.ts";
import { virtualClock } from "../../core/testing/virtual_clock.ts";
import {
  createEngine,
  type Engine,
  type HistoryRow,
  type Machine,
  type RunView,
  silentLogger,
  type Store,
} from "../../mod.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { attendedStore, storePatience } from "../engine/stores.ts";
import { pollMs } from "./model.ts";
import { steadyChance } from "./model_wait.ts";
import {
  errorText,
  hookText,
  lifeText,
  parkedText,
  type Picture,
  removedText,
  rowText,
  runText,
  type SeenRow,
  type SeenRun,
  timerText,
  timeText,
} from "./picture.ts";
import { epoch } from "./program.ts";
import { type Ask, type Lived, restMs } from "./scenario.ts";
import { type Mark, Script, type Trail } from "./script.ts";
import { type HookCall, staged, tooLarge } from "./stage.ts";

/** The engine's verbs without the types that the graphs, being data, cannot give. */
interface Verbs {
  trigger(
    definition: Machine<Trail>,
    key: string,
    options: object,
  ): Promise<{ runId: string; created: boolean }>;
  callback(
    definition: Machine<Trail>,
    key: string,
    status: string,
    payload: Mark,
    options: object,
  ): Promise<{ applied: boolean; runId: string; status: string; runState: string }>;
}

/** Virtual time can be driven while something is waited for. */
async function during<Value>(
  clock: ReturnType<typeof virtualClock>,
  promise: Promise<Value>,
): Promise<Value> {
  let isOver = false;
  const done = () => void (isOver = true);
  promise.then(done, done);
  await clock.settle();
  for (let spent = 0; !isOver && spent < 100; spent++) await clock.advance(100);
  return await promise;
}

class Life {
  readonly #lived: Lived;
  readonly #recorded: RecordedStore;
  readonly #clock = virtualClock({ now: epoch, patience: storePatience });
  readonly #machines: readonly Machine<Trail>[];
  readonly #engine: Engine;
  readonly #asked: Engine;
  readonly #hookCalls: HookCall[] = [];
  readonly #runIds: string[] = [];
  readonly #answers = new Map<number, string>();

  constructor(store: Store, lived: Lived, isAttended: boolean) {
    const { programs, seed, isGuest } = lived.scenario;
    this.#lived = lived;
    this.#recorded = recordedStore(isAttended ? attendedStore(store, this.#clock) : store);
    this.#machines = programs.map((program) =>
      staged(program, new Script(seed, program), this.#clock, (call) => this.#hookCalls.push(call))
    );
    const common = {
      store: this.#recorded.store,
      definitions: this.#machines,
      clock: this.#clock,
      logger: silentLogger,
      poll: pollMs,
      lease: { term: "1d" },
      limits: { payloadBytesMax: tooLarge.length },
    } as const;
    const random = (seed: number) => ({ ...seededRandom(seed), float: () => steadyChance });
    this.#engine = createEngine({ ...common, random: random(1) });
    this.#asked = isGuest ? createEngine({ ...common, random: random(2), work: false }) : this.#engine;
  }

  async live(): Promise<Picture> {
    await during(this.#clock, this.#engine.start());
    try {
      for (const [index, { waitMs, ask }] of this.#lived.asks.entries()) {
        await this.#clock.advance(waitMs);
        this.#ask(index, ask);
        await this.#clock.settle();
      }
      await this.#clock.advance(restMs);
      return await during(this.#clock, this.#picture());
    } finally {
      if (this.#asked !== this.#engine) await during(this.#clock, this.#asked.stop({ grace: 0 }));
      await during(this.#clock, this.#engine.stop({ grace: 0 }));
    }
  }

  #ask(index: number, ask: Ask): void {
    const answer = (text: string) => this.#answers.set(index, `${timeText(this.#clock.now())} ${text}`);
    this.#answer(ask).then(answer, (error) => answer(this.#refusal(error)));
  }

  #refusal(error: Error & { runId?: string; runState?: string }): string {
    const text = `refused with ${errorText(error)}`;
    if ("code" in error && error.code === "RUN_IN_PROGRESS") {
      return `${text}: run ${this.#number(error.runId!)}`;
    }
    return error.runState === undefined ? text : `${text}: ${error.runState}`;
  }

  async #answer(ask: Ask): Promise<string> {
    const machine = this.#machines[ask.program]!;
    const verbs = this.#asked as unknown as Verbs & Engine;
    const once = "idempotencyKey" in ask && ask.idempotencyKey !== undefined
      ? { idempotencyKey: ask.idempotencyKey }
      : {};
    const which = "run" in ask && ask.run !== undefined ? { runId: this.#runIds[ask.run]! } : {};
    switch (ask.verb) {
      case "trigger": {
        const data = { ...ask.data, ...oddity(ask.odd) };
        const startAt = ask.startAt === undefined ? {} : { startAt: ask.startAt };
        const { runId, created } = await verbs.trigger(machine, ask.key, { data, ...startAt, ...once });
        if (created) this.#runIds.push(runId);
        return `run ${this.#number(runId)}, ${created ? "created" : "known"}`;
      }
      case "callback": {
        const payload = { mark: ask.mark, ...oddity(ask.odd) };
        const told = await verbs.callback(machine, ask.key, ask.status, payload, { ...which, ...once });
        const place = `run ${this.#number(told.runId)} is ${told.runState} at "${told.status}"`;
        return `${told.applied ? "applied" : "not applied"}: ${place}`;
      }
      case "await": {
        const status = ask.status === undefined ? {} : { status: ask.status };
        return `met: run ${
          this.#number((await verbs.await(machine, ask.key, { ...which, ...status })).runId)
        }`;
      }
      case "retryHooks": {
        const { items } = await verbs.admin.parked();
        for (const { id } of items) await verbs.admin.retry(id);
        return `${items.length} hooks`;
      }
      default: {
        const reason = ask.reason === undefined ? {} : { reason: ask.reason };
        return runText(this.#seen(await verbs[ask.verb](machine, ask.key, { ...which, ...reason })));
      }
    }
  }

  async #picture(): Promise<Picture> {
    const engine = this.#engine;
    const runs: string[] = [];
    for (const [number, runId] of this.#runIds.entries()) {
      const { program, key } = this.#lived.runs[number] ?? { program: 0, key: "?" };
      const view = await engine.get(this.#machines[program]!, key, { runId });
      const rows = await engine.history({ runId });
      const history = rows.map(rowOf);
      const goesBack = rows.some(({ position }, index) => position <= (rows[index - 1]?.position ?? -1));
      if (goesBack) runs.push(`the positions in the history of run ${number} do not grow`);
      if (view) runs.push(...lifeText(this.#seen(view as RunView), history));
      else {
        const versions = this.#recorded.versions(runId).map((record) => this.#seen(viewOf(record)));
        runs.push(...removedText(number, versions), ...history.map(rowText));
      }
    }
    for (const { program, key } of this.#lived.keys) {
      const latest = await engine.get(this.#machines[program]!, key);
      runs.push(`latest of ${program} ${key}: ${latest ? this.#number(latest.runId) : "none"}`);
    }
    const { items } = await engine.timers({ limit: 1_000 });
    runs.push(
      ...items.map(({ runId, name, at, attempt, waits }) =>
        timerText(this.#number(runId), { name, at: at.getTime() }, attempt, waits)
      ).sort(),
    );
    const { findings } = await engine.admin.verify();
    const answers = this.#lived.asks.map((_, index) => this.#answers.get(index) ?? "no answer yet");
    const hooks = this.#hookCalls.map(({ at, kind, index, view }) =>
      hookText(at, kind, index, this.#seen(view))
    );
    const { items: parked } = await engine.admin.parked({ limit: 1_000 });
    return {
      runs: [...runs, ...findings.map(({ invariant, problem }) => `${invariant}: ${problem}`)],
      answers,
      hooks: [
        ...hooks.sort(),
        ...parked.map(({ runId, kind, hook, attempts, lastError }) =>
          parkedText(this.#number(runId), kind, hook, attempts, lastError)
        ).sort(),
      ],
    };
  }

  #number(runId: string): number {
    return this.#runIds.indexOf(runId);
  }

  #seen(view: RunView): SeenRun {
    const { runId, createdAt, updatedAt, timers = [], reason, lastError, ...rest } = view;
    return {
      ...rest,
      ...{ run: this.#number(runId), reason, lastError },
      createdAt: createdAt.getTime(),
      updatedAt: updatedAt.getTime(),
      timers: timers.map(({ name, at }) => ({ name, at: at.getTime() })),
    };
  }
}

function oddity(odd: "unjson" | "large" | undefined): object {
  return odd === "unjson" ? { when: new Date(0) } : odd === "large" ? { tooLarge } : {};
}

function viewOf(record: RunRecord): RunView {
  return { ...outline(record), data: JSON.parse(record.payload) };
}

function rowOf({ at, ...row }: HistoryRow): SeenRow {
  return { ...row, at: at.getTime() };
}

/**
 * @param store Where; empty.
 * @param lived The life, as the model has lived it.
 * @param isAttended Whether virtual time stands still while the store works.
 * @returns What can be seen of it.
 */
export function liveOn(store: Store, lived: Lived, isAttended = false): Promise<Picture> {
  return new Life(store, lived, isAttended).live();
}
