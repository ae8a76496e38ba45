/**
 * What a test waits for: it is looked for, and while it is not there, time moves on to what falls due next.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { checkStatusOf } from "../engine/check_input.ts";
import { openPayload } from "../engine/context.ts";
import type { Definition } from "../engine/behaviour.ts";
import type { Engine } from "../engine/verbs.ts";
import { outline, type RunTimerView, type RunView } from "../engine/run_view.ts";
import { PawlError } from "../errors.ts";
import { jsonText } from "../json.ts";
import { defaultLimits } from "../limits.ts";
import type { HistoryRow } from "../parts/history.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import type { Codec } from "../ports/codec.ts";
import { explain } from "./explain.ts";
import type { RecordedStore } from "./recorded_store.ts";
import { sameJson } from "./same_json.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** How a test waits for a run. */
export interface TestWaitOptions {
  /** This run, not the latest of the key. */
  readonly runId?: string;
  /** How much virtual time may go by; default 40 days. */
  readonly within?: Duration;
}

/** Which run is waited for, and how. */
export interface RunWish extends TestWaitOptions {
  readonly definition: Definition;
  readonly key: string;
}

/** What the waits work with. */
export interface RunWaitsParts {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly recorded: RecordedStore;
  readonly codec: Codec | undefined;
}

/** The waits of a test engine. */
export class RunWaits {
  readonly #parts: RunWaitsParts;

  /**
   * @param parts What they work with.
   */
  constructor(parts: RunWaitsParts) {
    this.#parts = parts;
  }

  /** The run when it is, or as it last was, at a status. */
  async status(wish: RunWish, status: string): Promise<RunView> {
    checkStatus(wish, status);
    return await this.#reach(wish, `come to status "${status}"`, (run, fresh) => {
      if (run.status === status) return run;
      const was = fresh.findLast((each) => each.status === status);
      return was && this.#view(was);
    });
  }

  /** The run when it is at a status and works. */
  async open(wish: RunWish, status: string): Promise<RunView> {
    checkStatus(wish, status);
    return await this.#reach(wish, `wait for a callback at status "${status}"`, (run) => {
      const isOpen = run.runState === "running" || run.runState === "initiated";
      return isOpen && run.status === status ? run : undefined;
    });
  }

  /** The timer of a name, or the earliest, once the run waits for it. */
  timer(wish: RunWish, name: string | undefined): Promise<RunTimerView> {
    const goal = name === undefined ? "have a timer" : `have a timer "${name}"`;
    return this.#reach(wish, goal, ({ timers = [] }) => {
      const mine = timers.filter((timer) => name === undefined || timer.name === name);
      return mine.sort((a, b) => Number(a.at) - Number(b.at))[0];
    });
  }

  /** The run as it was when its data was equal to what is expected. */
  async data(wish: RunWish, expected: unknown, status: string | undefined): Promise<RunView> {
    if (status !== undefined) checkStatus(wish, status);
    const text = jsonText(expected, "expected data", defaultLimits.payloadBytesMax);
    const want: unknown = JSON.parse(text);
    const where = status === undefined ? "" : ` at status "${status}"`;
    return await this.#reach(wish, `have the data ${text}${where}`, async (run, fresh) => {
      const all = [...await this.#views(fresh), run];
      return all.findLast((each) =>
        (status === undefined || each.status === status) && sameJson(each.data, want)
      );
    });
  }

  /** Every version of a run, as it was committed. */
  snapshots(runId: string): Promise<readonly RunView[]> {
    return this.#views(this.#parts.recorded.versions(runId));
  }

  #views(records: readonly RunRecord[]): Promise<readonly RunView[]> {
    return Promise.all(records.map((record) => this.#view(record)));
  }

  async #view(record: RunRecord): Promise<RunView> {
    const { codec } = this.#parts;
    return { ...outline(record), data: JSON.parse(await openPayload({ codec }, record)) };
  }

  /** The error that tells where the run is instead. */
  async missed(wish: RunWish, what: string): Promise<PawlError> {
    const { engine } = this.#parts;
    const { definition, key } = wish;
    const named = `"${definition.name}" for key "${key}"`;
    const run = await engine.get(definition, key, namedRun(wish));
    if (!run) {
      return new PawlError("NOT_REACHED", `No run of ${named} is there to ${what}; was it triggered?`);
    }
    const history = await wholeHistory(engine, run.runId);
    return new PawlError(
      "NOT_REACHED",
      `Run ${run.runId} of ${named} did not ${what}. ${explain(run, history)}`,
    );
  }

  async #reach<Found>(
    wish: RunWish,
    goal: string,
    find: (run: RunView, fresh: readonly RunRecord[]) => Found | undefined | Promise<Found | undefined>,
  ): Promise<Found> {
    const { engine, clock, recorded } = this.#parts;
    const seen = new Map<string, number>();
    const { definition, key, within = "40d" } = wish;
    const until = clock.monotonic() + durationMs(within, "within");
    for (;;) {
      await clock.settle();
      const run = await engine.get(definition, key, namedRun(wish));
      const versions = run ? recorded.versions(run.runId) : [];
      // What was looked at once is not looked at again: a run that fails for days has thousands of versions.
      const fresh = versions.slice(run && seen.get(run.runId));
      if (run) seen.set(run.runId, versions.length);
      const found = run && await find(run, fresh);
      if (found !== undefined) return found;
      if (run && isFinished(run.runState)) throw await this.missed(wish, goal);
      const left = until - clock.monotonic();
      if (left <= 0) throw await this.missed(wish, `${goal} within ${within} of virtual time`);
      await clock.next(left);
    }
  }
}

function checkStatus({ definition: { name, behaviour } }: RunWish, status: string): void {
  checkStatusOf(name, behaviour.statuses, status);
}

async function wholeHistory(engine: Engine, runId: string): Promise<HistoryRow[]> {
  const rows: HistoryRow[] = [];
  let page = await engine.history({ runId });
  while (page.length > 0) {
    rows.push(...page);
    page = await engine.history({ runId, after: page.at(-1)!.position });
  }
  return rows;
}

function namedRun({ runId }: RunWish): { readonly runId?: string } {
  return runId === undefined ? {} : { runId };
}
