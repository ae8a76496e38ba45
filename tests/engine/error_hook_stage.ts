/**
 * What the tests of error hooks share.
 *
 * @module
 */
import {
  type ActivityFailure,
  type Engine,
  integration,
  type IntegrationOptions,
  machine,
  type StepRun,
  type WorkflowFailure,
} from "../../mod.ts";
import { patient, type World } from "./stores.ts";

/** What a run carries: how many of its attempts fail. */
export interface Job {
  fails: number;
}

/** The step of a test. */
export type Work = (run: StepRun<Job, "b">) => ReturnType<typeof answer> | Promise<"b">;
/** Goes on, or fails a run for which nothing can be done. */
export const answer = (run: StepRun<Job, "b">) => run.data.fails > 100 ? run.fail("hopeless") : "b";

/** Fails as often as its run says. */
export const failing: Work = ({ data, attempt }) => {
  if (attempt <= data.fails) throw Object.assign(new Error(`no. ${attempt}`), { code: "E_NO" });
  return "b";
};

/** A machine with a step, a callback and a timeout that may fail. */
export function jobsOf(work: Work = failing) {
  return machine<Job>("jobs", { pauseRetry: false })
    .step("a", ["b"], work, { pauseAfterErrors: 5, retry: { initial: "1s", factor: 1, jitter: false } })
    .callback("b", ["c"], (run) => run.fail("called off"))
    .timeout("b", ["c"], { after: "1h" }, () => {
      throw new Error("no timer");
    }, { name: "late", pauseAfterErrors: 2, retry: { initial: "1s", jitter: false } })
    .build();
}

/** The hooks of a test. */
export type Hooks = Pick<
  IntegrationOptions<Record<string, never>, []>,
  "onActivityError" | "onWorkflowError" | "errorHooks" | "allowPolicyOverride"
>;

/** An integration that listens. */
export const watched = (jobs: ReturnType<typeof jobsOf>, hooks: Hooks) =>
  integration({ name: "w", definitions: [jobs], ...hooks });

/** What hooks were told, in words. */
export function listener() {
  const told: string[] = [];
  const activities: ActivityFailure[] = [];
  const workflows: WorkflowFailure[] = [];
  const hooks: Hooks = {
    onActivityError(failure) {
      const { error, by, timer, attempt, attemptsMax, attemptsLeft, run } = failure;
      activities.push(failure);
      const whose = timer === undefined ? by : `${by} ${timer}`;
      told.push(
        `${whose}: ${error.message} (${attempt}/${attemptsMax}, ${attemptsLeft} left) ${run.runState}`,
      );
    },
    onWorkflowError(failure) {
      workflows.push(failure);
      told.push(`${failure.outcome}: ${failure.error?.message ?? failure.reason}`);
    },
  };
  return { told, activities, workflows, hooks };
}

/** An engine that works and listens. */
export async function startedWith(
  world: World,
  jobs: ReturnType<typeof jobsOf>,
  hooks: Hooks,
): Promise<Engine> {
  const engine = world.engine({ definitions: [], ...patient });
  engine.use(watched(jobs, hooks));
  await world.during(engine.start());
  return engine;
}
