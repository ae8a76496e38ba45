import { PawlError } from "../errors.ts";
import { cancel, terminate } from "../parts/run_change.ts";
import type { Plan } from "../parts/schedule_plan.ts";
import type { Definition } from "./behaviour.ts";
import { changeRun } from "./operate.ts";
import type { Starter } from "./start_occurrence.ts";
import { readRun } from "./write_change.ts";

/**
 * Ends the runs that are in the way of an occurrence. Whoever was first, they are looked at again before anything starts.
 *
 * @param starter What starts the runs of the schedule.
 * @param definition Their definition.
 * @param id The schedule.
 * @param room Which runs, how, and for what.
 */
export async function makeRoom(
  { context, ownership }: Starter,
  { behaviour }: Definition,
  id: string,
  room: NonNullable<Plan["room"]>,
): Promise<void> {
  const reason = `schedule "${id}" makes room for ${new Date(room.for.at).toISOString()}`;
  const change = room.how === "cancel" ? cancel(behaviour, reason, "schedule") : terminate(behaviour, reason);
  await Promise.all(room.runs.map(async ({ runId }) => {
    const held = await readRun(context, runId);
    if (!held) return;
    try {
      await changeRun(context, ownership, held, change);
    } catch (error) {
      if (!(error instanceof PawlError) || !["RUN_STATE", "RUN_NOT_FOUND"].includes(error.code)) throw error;
    }
  }));
}
