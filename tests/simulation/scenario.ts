/**
 * One seed, one life: fixed machines or random ones, and clients that ask for everything there is.
 *
 * @module
 */
import { Host } from "../../core/testing/simulation/host.ts";
import { type Cast, type LifeReport, live } from "../../core/testing/simulation/life.ts";
import { drawPlan, type Home, type Plan } from "../../core/testing/simulation/plan.ts";
import type { World } from "../../core/testing/simulation/world.ts";
import { edgesOf, type Program } from "../programs/program.ts";
import { Clients } from "./clients.ts";
import { drawPrograms } from "./draw_programs.ts";
import { machinesOf } from "./machines.ts";
import { drawOutside, Outside, type OutsidePlan } from "./outside.ts";
import { dataTextOf, isCodecFailure, seal } from "./sealing.ts";
import { trailDataOf, TrailLaws } from "./trail_laws.ts";

/**
 * Lives through one seed.
 *
 * @throws {Violation} With the last events on `error.trace`.
 */
export function runSeed(seed: number, home: Home = "server"): Promise<LifeReport> {
  return runPlan(drawPlan(seed, home), drawPrograms(seed, home));
}

/** Lives through a plan with these machines, and what is around them. */
export function runPlan(
  plan: Plan,
  programs: readonly Program[],
  outsidePlan: OutsidePlan = drawOutside(plan.seed, programs),
): Promise<LifeReport> {
  return live(plan, (world) => castOf(world, programs, outsidePlan));
}

function castOf(world: World, programs: readonly Program[], outsidePlan: OutsidePlan): Cast {
  const outside = new Outside(world, outsidePlan, programs);
  const trails = new TrailLaws(world);
  const connectorOf = (host: Host, program: Program) => outside.connectorOf(host, program);
  const programOf = new Map(programs.map((program) => [program.name, program]));
  const definitionsOf = (host: Host) => machinesOf(world, host, programs, trails, connectorOf);
  let clients: Clients;
  let isAtRest = () => false;
  return {
    definitionsOf,
    engineOptionsOf: (host) => outside.engineOptionsOf(host),
    lawOptions: {
      ...(outsidePlan.keepEventsMs !== undefined && { keepEventsMs: outsidePlan.keepEventsMs }),
      edges: (definition, status, by, name) => edgesOf(programOf.get(definition)!.graph, status, by, name),
      timersOf: (definition, status) =>
        (programOf.get(definition)!.graph[status]?.timers ?? [])
          .filter(({ due }) => due !== "drawn").map(({ name }) => name),
      secretOf: (run) => trailDataOf(run).secret,
      dataTextOf,
      ...(outsidePlan.seals && { disguiseOf: seal, isCodecFailure }),
      changed(change) {
        trails.changed(change);
        outside.changed(change);
      },
      forget: () => trails.forget(),
    },
    begin(stage) {
      trails.begin(stage);
      outside.begin(stage);
      clients = new Clients(stage, trails, programs, definitionsOf(new Host(world, "outside")));
      isAtRest = () => stage.laws.areAtRest && outside.isAtRest;
    },
    ask: (dice) => clients.ask(dice),
    takeCare: () => clients.takeCare(),
    isAtRest: () => isAtRest(),
    checkKept: () => clients.checkKept(),
    checkEnd: () => clients.checkEnd(),
  };
}
