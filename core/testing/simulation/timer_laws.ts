import { bucketOf, earliestDue, type RunRecord, type RunTimer } from "../../parts/run_record.ts";
import type { LawOptions, RunChange, ToldEvent } from "./laws.ts";
import type { World } from "./world.ts";

/** I7: timers begin and end with their status, each fires once a round, and nothing else touches them. */
export function checkTimers(world: World, options: LawOptions, { before, after, event }: RunChange): void {
  const isActive = bucketOf(after.state) === "active";
  world.expect(
    !isActive || after.due === earliestDue(after.stepDue, after.timers),
    "I9",
    () => `run ${after.id} is due ${after.due}, its step ${after.stepDue}, timers otherwise`,
  );
  const isKnown = !before || event.by !== "timer" || before.timers.some(({ name }) => name === event.name);
  world.expect(
    isKnown,
    "I7",
    () => `timer ${event.name} of run ${after.id} answers ${event.kind}, though it was gone`,
  );
  if (!before || event.kind === "move") return checkFresh(world, options, after);
  const ends = !isActive && after.state !== "paused";
  if (ends) {
    world.expect(after.timers.length === 0, "I7", () => `run ${after.id} is ${after.state} with timers`);
    return;
  }
  const wanted = before.timers.flatMap((timer) => left(timer, before, after, event));
  const order = (timers: readonly RunTimer[]) =>
    timers.map(({ name, at, attempt, round }) => `${name} ${at} ${attempt} ${round}`).sort().join();
  world.expect(order(wanted) === order(after.timers), "I7", () => {
    const seen = `leaves timers ${order(after.timers)}, want ${order(wanted)}`;
    return `${event.kind} by ${event.by} ${event.name} of run ${after.id} ${seen}`;
  });
}

/** The timers of a status that was just entered are all new, and no others than its own. */
function checkFresh(world: World, options: LawOptions, { id, definition, status, timers }: RunRecord): void {
  for (const name of options.timersOf?.(definition, status) ?? []) {
    world.expect(
      timers.some((timer) => timer.name === name),
      "I7",
      () => `run ${id} has come to ${status} without timer ${name}`,
    );
  }
  const behaviour = options.behaviours.get(definition)!;
  for (const { name, attempt, round } of timers) {
    const isOwn = behaviour.timerPolicy?.(status, name) !== undefined;
    world.expect(
      attempt === 0 && round === 0 && isOwn,
      "I7",
      () => `run ${id} has come to ${status} with timer ${name} round ${round} attempt ${attempt}`,
    );
  }
}

/** What a change leaves of a timer. */
function left(timer: RunTimer, before: RunRecord, after: RunRecord, event: ToldEvent): RunTimer[] {
  if (event.kind === "resume") return [{ ...timer, attempt: 0 }];
  if (event.by !== "timer" || event.name !== timer.name) return [timer];
  const next = after.timers.find(({ name }) => name === timer.name);
  if (event.kind === "rearm") return [{ ...timer, at: next?.at ?? -1, attempt: 0, round: timer.round + 1 }];
  if (event.kind !== "error") return [];
  const isTriedAgain = before.state !== "paused" && after.state !== "paused";
  return [{ ...timer, at: isTriedAgain ? next?.at ?? -1 : timer.at, attempt: timer.attempt + 1 }];
}
