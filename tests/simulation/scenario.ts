/**
 * One seed, one life: fixed machines or random ones, and clients that ask for everything there is.
 *
 * @module
 */
import { Host } from "../../core/testing/simulation/host.ts";
import { type Cast, type LifeReport, live } from "../../core/testing/simulation/life.ts";
import { drawPlan, type Plan } from "../../core/testing/simulation/plan.ts";
import type { World } from "../../core/testing/simulation/world.ts";
import { edgesOf, type Program } from "../programs/program.ts";
import { Clients } from "./clients.ts";
import { drawPrograms } from "./draw_programs.ts";
import { machinesOf, type Trail } from "./machines.ts";
import { TrailLaws } from "./trail_laws.ts";

/**
 * Lives through one seed.
 *
 * @throws {Violation} With the last events on `error.trace`.
 */
export function runSeed(seed: number): Promise<LifeReport> {
  return runPlan(drawPlan(seed), drawPrograms(seed));
}

/** Lives through a plan with these machines. */
export function runPlan(plan: Plan, programs: readonly Program[]): Promise<LifeReport> {
  return live(plan, (world) => castOf(world, programs));
}

function castOf(world: World, programs: readonly Program[]): Cast {
  const trails = new TrailLaws(world);
  const programOf = new Map(programs.map((program) => [program.name, program]));
  const definitionsOf = (host: Host) => machinesOf(world, host, programs, trails);
  let clients: Clients;
  let isAtRest = () => false;
  return {
    definitionsOf,
    lawOptions: {
      edges: (definition, status, by, name) => edgesOf(programOf.get(definition)!.graph, status, by, name),
      timersOf: (definition, status) =>
        (programOf.get(definition)!.graph[status]?.timers ?? [])
          .filter(({ due }) => due !== "drawn").map(({ name }) => name),
      secretOf: (run) => (JSON.parse(run.payload) as Trail).secret,
      changed: (change) => trails.changed(change),
    },
    begin(stage) {
      trails.begin(stage);
      clients = new Clients(stage, trails, programs, definitionsOf(new Host(world, "outside")));
      isAtRest = () => stage.laws.areAtRest;
    },
    ask: (dice) => clients.ask(dice),
    takeCare: () => clients.takeCare(),
    isAtRest: () => isAtRest(),
    checkEnd: () => clients.checkEnd(),
  };
}
