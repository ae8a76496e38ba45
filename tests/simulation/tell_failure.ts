// deno-lint-ignore-file no-console -- it is told to a person.
import fc from "fast-check";
import { planText, smallestFailure } from "../../core/testing/simulation/failure.ts";
import { drawPlan, type Home, type Plan } from "../../core/testing/simulation/plan.ts";
import type { Program } from "../programs/program.ts";
import { drawPrograms, isFixed, programsArbitrary } from "./draw_programs.ts";
import { runPlan } from "./scenario.ts";
import { playSmall } from "./scenarios.ts";
import type { SeedRange } from "./seed_worker.ts";

/** Programs that a search for smaller ones may try. */
const programsMax = 300;

/** Lines of a trace that are told. */
const linesMax = 120;

/** Makes the life of a seed that breaks an invariant as small as can be, and tells what happened in it. */
export async function tellFailure(
  seed: number,
  { scenario, home }: Pick<SeedRange, "scenario" | "home">,
): Promise<void> {
  const where = (scenario === "machines" ? "" : ` --scenario ${scenario}`) +
    (home === "browser" ? " --browser" : "");
  const again = `again: deno task simulate${where} --from ${seed} --seeds 1 --no-mutants`;
  const found = scenario === "machines" ? await failureOfMachines(seed, home) : {
    failure: await smallestFailure(drawPlan(seed, home), (each) => playSmall(each, scenario)),
    programs: [],
  };
  if (!found.failure) return console.log(`\nseed ${seed} fails by something that no seed decides\n${again}`);
  const { failure, programs } = found;
  console.log(`\nseed ${seed}: ${failure.message}\n`);
  console.log(planText(failure.plan));
  for (const { name, ...rest } of programs) console.log(`machine "${name}": ${JSON.stringify(rest)}`);
  console.log(`\n${failure.trace.slice(-linesMax).join("\n")}\n${again}`);
}

async function failureOfMachines(seed: number, home: Home) {
  const programs = drawPrograms(seed, home);
  const failure = await smallestOf(drawPlan(seed, home), programs);
  if (!failure || isFixed(seed)) return { failure, programs };
  const smaller = await smallerPrograms(seed, failure.plan, failure.invariant);
  if (!smaller) return { failure, programs };
  return { failure: await smallestOf(failure.plan, smaller) ?? failure, programs: smaller };
}

function smallestOf(plan: Plan, programs: readonly Program[]) {
  return smallestFailure(plan, (each) => runPlan(each, programs));
}

/** The plainest machines that break the same under this plan. */
async function smallerPrograms(
  seed: number,
  plan: Plan,
  invariant: string,
): Promise<readonly Program[] | undefined> {
  const property = fc.asyncProperty(programsArbitrary, async (programs) => {
    try {
      await runPlan(plan, programs);
      return true;
    } catch (error) {
      return (error as { invariant?: string }).invariant !== invariant;
    }
  });
  const found = await fc.check(property, {
    seed,
    numRuns: 1,
    maxSkipsPerRun: 0,
    endOnFailure: false,
    interruptAfterTimeLimit: programsMax * 100,
  });
  return found.counterexample?.[0];
}
