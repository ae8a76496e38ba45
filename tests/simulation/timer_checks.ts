import type { HistoryRow } from "../../core/parts/history.ts";
import { bucketOf, earliestDue, type RunRecord, type RunTimer } from "../../core/parts/run_record.ts";
import { graphs } from "./graphs.ts";
import type { World } from "./world.ts";

type Event = Omit<HistoryRow, "at" | "position">;

/** I7: timers begin and end with their status, each fires once a round, and nothing else touches them. */
export function checkTimers(
  world: World,
  before: RunRecord | undefined,
  after: RunRecord,
  event: Event,
): void {
  const isActive = bucketOf(after.state) === "active";
  if (isActive && after.due !== earliestDue(after.stepDue, after.timers)) {
    world.violate("I9", `run ${after.id} is due ${after.due}, its step ${after.stepDue}, timers otherwise`);
  }
  if (before && event.by === "timer" && !before.timers.some(({ name }) => name === event.name)) {
    world.violate("I7", `timer ${event.name} of run ${after.id} answers ${event.kind}, though it was gone`);
  }
  if (!before || event.kind === "move") return checkFresh(world, after);
  const ends = !isActive && after.state !== "paused";
  if (ends) {
    if (after.timers.length > 0) world.violate("I7", `run ${after.id} is ${after.state} with timers`);
    return;
  }
  const wanted = before.timers.flatMap((timer) => left(timer, before, after, event));
  const order = (timers: readonly RunTimer[]) =>
    timers.map(({ name, at, attempt, round }) => `${name} ${at} ${attempt} ${round}`).sort().join();
  if (order(wanted) === order(after.timers)) return;
  world.violate(
    "I7",
    `${event.kind} by ${event.by} ${event.name} of run ${after.id} leaves timers ${
      order(after.timers)
    }, want ${order(wanted)}`,
  );
}

/** The timers of a status that was just entered are all new, and no others than its own. */
function checkFresh(world: World, { id, definition, status, timers }: RunRecord): void {
  const known = graphs[definition]![status]?.timers ?? {};
  const isFixed = (name: string) => ["remind", "nudge", "tick", "noon"].includes(name);
  for (const name of Object.keys(known).filter(isFixed)) {
    if (!timers.some((timer) => timer.name === name)) {
      world.violate("I7", `run ${id} has come to ${status} without timer ${name}`);
    }
  }
  for (const { name, attempt, round } of timers) {
    if (attempt === 0 && round === 0 && known[name]) continue;
    world.violate(
      "I7",
      `run ${id} has come to ${status} with timer ${name} round ${round} attempt ${attempt}`,
    );
  }
}

/** What a change leaves of a timer. */
function left(timer: RunTimer, before: RunRecord, after: RunRecord, event: Event): RunTimer[] {
  if (event.kind === "resume") return [{ ...timer, attempt: 0 }];
  if (event.by !== "timer" || event.name !== timer.name) return [timer];
  const next = after.timers.find(({ name }) => name === timer.name);
  if (event.kind === "rearm") return [{ ...timer, at: next?.at ?? -1, attempt: 0, round: timer.round + 1 }];
  if (event.kind !== "error") return [];
  const isTriedAgain = before.state !== "paused" && after.state !== "paused";
  return [{ ...timer, at: isTriedAgain ? next?.at ?? -1 : timer.at, attempt: timer.attempt + 1 }];
}
