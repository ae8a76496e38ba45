import { decodeChore, runIdOfChore, scheduleHook } from "../../parts/chore.ts";
import { isFinished, type RunRecord } from "../../parts/run_record.ts";
import { decodeOutcome } from "../../parts/schedule_outcome.ts";
import { decodeSchedule, overlapOf, scheduleDue, type ScheduleRecord } from "../../parts/schedule_record.ts";
import { splitKey, unescapeText } from "../../store/key.ts";
import type { Batch, Put } from "../../store/store.ts";
import type { Host } from "./host.ts";
import { short } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** I12: each occurrence of a schedule is started at most once, and what became of it is told once and for all. */
export class ScheduleLaws {
  readonly #world: World;
  readonly #shadow: Shadow;
  /** The run of each occurrence that was ever started, by schedule, life and time. */
  readonly #runs = new Map<string, RunRecord>();
  /** The lives of each id: outcomes of an earlier one may be told over. */
  readonly #lives = new Map<string, Set<string>>();

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
  }

  /** A run begins. */
  created(run: RunRecord): void {
    const { origin } = run;
    if (!origin) return;
    const name = `${origin.schedule} ${origin.life} ${origin.at}`;
    const before = this.#runs.get(name);
    this.#world.expect(
      before === undefined,
      "I12",
      () => `run ${run.id} is started for ${name}, as run ${before!.id} was`,
    );
    this.#runs.set(name, run);
  }

  /** A batch is about to be applied. */
  before(host: Host, shard: number, batch: Batch): void {
    for (const put of batch.puts) {
      if (put.key.startsWith("sched ")) this.#changes(host, shard, put);
      if (put.key.startsWith("occ ")) this.#tells(shard, put);
    }
    for (const key of batch.deletes) {
      if (key.startsWith("chore ")) this.#isTold(shard, key);
    }
  }

  #changes(host: Host, shard: number, { key, value }: Put): void {
    const id = unescapeText(splitKey(key)[1]!);
    const after = decodeSchedule(id, value);
    const row = this.#shadow.rows[shard]!.get(key);
    const before = row && decodeSchedule(id, row.value);
    this.#lives.set(id, (this.#lives.get(id) ?? new Set()).add(after.life));
    const { starting } = after;
    const doing = starting
      ? `starts ${starting.start}`
      : `next ${after.next?.at}, ${after.running.length} run`;
    this.#world.log(`${host.name} writes schedule ${id} v${after.version}: ${doing}`);
    if (before?.life !== after.life) return;
    const want = (holds: boolean, what: string) =>
      this.#world.expect(holds, "I12", () => `schedule ${id} v${after.version} ${what}`);
    want(after.version === before.version + 1, `follows v${before.version}`);
    want(after.start >= before.start, "counts its starts back");
    const isRetimed = JSON.stringify(after.rules) !== JSON.stringify(before.rules);
    want(isRetimed || !(after.next && before.next && after.next.at < before.next.at), "goes back in time");
    want(!before.starting || !starting || before.starting.start === starting.start, "starts two at once");
    if (starting && !before.starting) this.#claims(after, want);
  }

  /** Who must wait for others does, whatever has been heard of them. */
  #claims(schedule: ScheduleRecord, want: (holds: boolean, what: string) => void): void {
    const { id, life, starting } = schedule;
    if (overlapOf(schedule, starting!) === "allowAll") return;
    for (const run of this.#runs.values()) {
      const { origin } = run;
      if (origin!.schedule !== id || origin!.life !== life) continue;
      const now = this.#shadow.run(run.id);
      want(!now || isFinished(now.state), `starts ${starting!.at} beside run ${run.id}`);
    }
  }

  /** What has been started stays so. */
  #tells(shard: number, { key, value }: Put): void {
    const id = unescapeText(splitKey(key)[1]!);
    if (this.#lives.get(id)?.size !== 1) return;
    const row = this.#shadow.rows[shard]!.get(key);
    const [life] = this.#lives.get(id)!;
    const { at, outcome } = decodeOutcome({ key, value, version: 0 });
    const before = row && decodeOutcome({ key, value: row.value, version: 0 });
    this.#world.expect(
      before?.outcome.kind !== "started",
      "I12",
      () => `${at} of schedule ${id} was started, and is ${outcome.kind} after that`,
    );
    const run = this.#runs.get(`${id} ${life} ${at}`);
    const told = outcome.kind === "started" ? outcome.runId : undefined;
    this.#world.expect(
      run?.id === told,
      "I12",
      () => `${at} of schedule ${id} is told as ${outcome.kind} ${told}, and has run ${run?.id}`,
    );
  }

  /** A chore of the engine's own goes when its schedule knows that the run has ended. */
  #isTold(shard: number, key: string): void {
    const id = splitKey(key)[2]!;
    const row = this.#shadow.rows[shard]!.get(key);
    const chore = row && decodeChore(id, row.value);
    if (chore?.hook !== scheduleHook) return;
    const { schedule, life, start } = chore.run.origin!;
    const record = this.#schedule(schedule);
    const isOpen = record?.life === life &&
      (record.starting?.start === start || record.running.some((each) => each.start === start));
    this.#world.expect(
      !isOpen,
      "I12",
      () => `schedule ${schedule} has not heard of the end of run ${short(runIdOfChore(id))}`,
    );
  }

  #schedule(id: string): ScheduleRecord | undefined {
    const [found] = [...this.#shadow.under(`sched ${id}`)].filter(([key]) => key === `sched ${id}`);
    return found && decodeSchedule(id, found[1].value);
  }

  /** Whether no schedule has anything to do until then. */
  isQuietUntil(until: number): boolean {
    return [...this.#shadow.under("sched ")].every(([key, { value }]) => {
      const due = scheduleDue(decodeSchedule(unescapeText(splitKey(key)[1]!), value));
      return due === undefined || due > until;
    });
  }

  /** Every run that a schedule has started is in its books. */
  checkEnd(): void {
    const outcomes = new Set(
      [...this.#shadow.under("occ ")].map(([key, { value }]) =>
        `${unescapeText(splitKey(key)[1]!)} ${decodeOutcome({ key, value, version: 0 }).at}`
      ),
    );
    for (const run of this.#runs.values()) {
      const { schedule, life, at } = run.origin!;
      const record = this.#schedule(schedule);
      if (record?.life !== life || record.deletedAt !== undefined || record.starting?.at === at) continue;
      const isTold = outcomes.has(`${schedule} ${at}`);
      this.#world.expect(isTold, "I12", () => `run ${run.id} of schedule ${schedule} has no outcome`);
    }
  }
}
