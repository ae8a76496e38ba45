import type { StepCall } from "../../engine/behaviour.ts";
import { bucketOf, type RunRecord } from "../../parts/run_record.ts";
import { keyspace } from "../../store/keyspace.ts";
import type { Host } from "./host.ts";
import { type LawOptions, type Laws, type RunChange, short, type ToldEvent } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** What is known of the attempts of a run. */
interface Life {
  /** Results of steps and timers that history tells of. */
  told: number;
  /** Steps and timers that were started. */
  started: number;
  /** Results of attempts whose code may never have begun. */
  unbegun: number;
  /** Attempts of its steps that were started, by visit. */
  readonly begun: Set<string>;
  /** When it was paused last. */
  pausedAt: number;
  /** Earliest due time at which each attempt of each visit's step and timers might start. */
  readonly due: Map<string, number>;
}

/** A record in memory is believed for a poll, and read again after that. */
const pauseHeardMs = 1_000;

/** Longest time from the decision that an attempt is due to its begin: a codec may have to open its data first. */
const decidedMs = 100;

/** I5, I7 and more: who started which code of steps and timers, when, and under which ownership. */
export class AttemptLaws {
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #options: LawOptions;
  readonly #laws: Laws;
  readonly #lives = new Map<string, Life>();
  /** Results told by the time a step was last started, by host, ownership and step. */
  readonly #toldAt = new Map<string, { readonly told: number; readonly at: number }>();

  constructor(world: World, shadow: Shadow, options: LawOptions, laws: Laws) {
    this.#world = world;
    this.#shadow = shadow;
    this.#options = options;
    this.#laws = laws;
  }

  /** User code of a step or timer begins. */
  started(host: Host, call: StepCall, timer?: string): void {
    const { runId, stepId, attempt, status } = call;
    const world = this.#world;
    const [, visit, ...ofTimer] = stepId.split(":");
    const what = timer === undefined ? status : `timer ${timer}`;
    world.log(`${host.name} runs ${what} of run ${short(runId)} visit ${visit} attempt ${attempt}`);
    const record = this.#shadow.run(runId);
    if (!record) {
      const isGone = this.#laws.disposal.removed.has(runId);
      world.expect(isGone, "I6", () => `run ${runId} has started before it was stored`);
      return;
    }
    const life = this.#lifeOf(runId);
    life.started++;
    if (timer === undefined) life.begun.add(`${visit} ${attempt}`);
    const due = life.due.get([visit, ...ofTimer, attempt].join(" "));
    world.expect(
      due !== undefined,
      "I5",
      () => `attempt ${attempt} of ${stepId} was never due while active`,
    );
    // What was decided just before the clock was set back begins by the time it showed then.
    const setAt = Math.max(host.jumpedAt, host.unfrozenAt);
    const now = world.time - setAt < decidedMs ? host.latest : host.clock.now();
    world.expect(now >= (due ?? now), "I7", () => `${stepId} starts ${due! - now} ms early`);
    const since = world.time - Math.max(life.pausedAt, host.unfrozenAt);
    const isStarted = record.state === "paused" && since > pauseHeardMs && this.#options.pauseIsHeard;
    world.expect(
      !isStarted,
      "I5",
      () => `${stepId} starts, though the run is paused for ${since.toFixed(0)} ms`,
    );
    const needsNetwork = this.#needsNetwork(call, timer);
    this.#notAgain(host, call, life.told, needsNetwork);
    this.#isFit(host, stepId, needsNetwork);
  }

  #needsNetwork({ definition, status }: StepCall, timer: string | undefined): boolean {
    const behaviour = this.#options.behaviours.get(definition)!;
    const policy = timer === undefined ? behaviour.policy(status) : behaviour.timerPolicy?.(status, timer);
    return policy?.needsNetwork === true;
  }

  /** What was decided just before the network went, or the tab was left, may begin just after. */
  #isFit(host: Host, stepId: string, needsNetwork: boolean): void {
    const { weather } = this.#options;
    if (!weather) return;
    const offlineFor = needsNetwork ? weather.offlineFor : 0;
    this.#world.expect(
      offlineFor <= decidedMs,
      "platform",
      () => `${stepId} starts ${offlineFor.toFixed(0)} ms after the network has gone`,
    );
    const leftFor = weather.leftFor(host);
    const isLeft = leftFor > decidedMs && this.#world.time - host.unfrozenAt > decidedMs;
    this.#world.expect(
      !isLeft,
      "platform",
      () => `${stepId} starts on ${host.name}, which has been left for ${leftFor.toFixed(0)} ms`,
    );
  }

  /** Under one ownership code runs again only after the result before has been stored: rebased, never re-run. */
  #notAgain(
    host: Host,
    { runId, stepId, definition }: StepCall,
    told: number,
    needsNetwork: boolean,
  ): void {
    const shard = parseInt(runId.slice(-4), 16) % this.#shadow.rows.length;
    const fence = this.#shadow.rows[shard]!.get(keyspace.owner.key(definition))?.version;
    const call = `${host.name} ${fence} ${stepId}`;
    const before = this.#toldAt.get(call);
    // What fails for want of the network is not told.
    const isCut = needsNetwork && before && this.#options.weather?.wasOffline(before.at);
    this.#world.expect(
      before?.told !== told || isCut === true,
      "rebase",
      () => `${host.name} runs step ${stepId} again, its result was dropped`,
    );
    this.#toldAt.set(call, { told, at: this.#world.time });
  }

  /** History tells of a run. */
  told(run: RunRecord, event: ToldEvent): void {
    if (event.by !== "step" && event.by !== "timer") return;
    const life = this.#lifeOf(run.id);
    life.told++;
    if (this.#options.isCodecFailure?.(event)) life.unbegun++;
    this.#world.expect(
      life.told <= life.started + life.unbegun || !this.#options.settles,
      "once",
      () => `run ${run.id}: ${life.started} starts, but ${life.told} results in history`,
    );
  }

  /** A change has been applied. */
  applied({ before, after, event }: RunChange): void {
    const life = this.#lifeOf(after.id);
    const isCounted = before !== undefined && event.by === "step" && event.kind === "error";
    // Such an attempt counts as begun, though its code was not.
    if (isCounted && this.#options.isCodecFailure?.(event)) {
      life.begun.add(`${before.visit} ${before.attempt + 1}`);
    }
    this.#world.expect(
      !isCounted || life.begun.has(`${before.visit} ${before.attempt + 1}`),
      "once",
      () =>
        `error ${
          before!.attempt + 1
        } of run ${after.id} is counted, but was no attempt: ${event.error?.message}`,
    );
    // An attempt that goes on through a pause and its end counts as the first of those that come after.
    const begun = [...life.begun].some((each) => each.startsWith(`${after.visit} `));
    if (event.kind === "resume" && begun) life.begun.add(`${after.visit} 1`);
    if (after.state === "paused" && before?.state !== "paused") life.pausedAt = this.#world.time;
    if (bucketOf(after.state) !== "active") return;
    const mayStart = (attempt: string, at: number) =>
      life.due.set(attempt, Math.min(life.due.get(attempt) ?? Infinity, at));
    if (after.stepDue !== undefined) mayStart(`${after.visit} ${after.attempt + 1}`, after.stepDue);
    for (const { name, at, attempt, round } of after.timers) {
      mayStart(`${after.visit} ${name} ${round} ${attempt + 1}`, at);
    }
  }

  #lifeOf(runId: string): Life {
    let life = this.#lives.get(runId);
    if (!life) {
      life = { told: 0, started: 0, unbegun: 0, begun: new Set(), pausedAt: 0, due: new Map() };
      this.#lives.set(runId, life);
    }
    return life;
  }
}
