/**
 * The user code of the simulated machines: it draws from the seed what it does, and leaves in the data that it was there.
 *
 * @module
 */
import type { Machine } from "../../core/machine/machine.ts";
import type { StepRun } from "../../core/machine/run.ts";
import type { Host } from "../../core/testing/simulation/host.ts";
import type { World } from "../../core/testing/simulation/world.ts";
import {
  type Answer,
  type Code,
  type Distances,
  distancesOf,
  machineOf,
  type Program,
  type ProgramConnector,
} from "../programs/program.ts";
import type { TrailLaws } from "./trail_laws.ts";

/** What a run carries: the code whose work is in it, so that lost or doubled work shows. */
export interface Trail {
  readonly token: string;
  /** Must be nowhere once the run's data is deleted; gone from what `scrub` leaves. */
  readonly secret?: string;
  landed: string[];
}

/** What callbacks are called with: what they leave in the trail. */
export interface Mark {
  readonly mark: string;
}

/** User code of one program on one host. */
interface Stage {
  readonly world: World;
  readonly host: Host;
  readonly trails: TrailLaws;
  readonly distances: Distances;
  readonly calmMoves: Map<string, number>;
}

type What = "step" | "callback" | "timer";

/** The machines of a host; `connectorOf` gives some a connector. */
export function machinesOf(
  world: World,
  host: Host,
  programs: readonly Program[],
  trails: TrailLaws,
  connectorOf: (host: Host, program: Program) => ProgramConnector | undefined,
): Machine<Trail>[] {
  const calmMoves = new Map<string, number>();
  return programs.map((program) =>
    machineOf(
      program,
      codeOf({ world, host, trails, calmMoves, distances: distancesOf(program.graph) }),
      connectorOf(host, program),
    )
  );
}

function codeOf(stage: Stage): Code<Trail, Mark> {
  const { world, host } = stage;
  return {
    step: (run, { to }) => act(stage, run, "step", to, run.stepId),
    callback: (run, { mark }, to) => act(stage, run, "callback", to, mark),
    timer: (run, { to }) => act(stage, run, "timer", to, run.stepId),
    due({ data }, now) {
      if (world.fault("time throws", 0.03)) throw new Error(`no time for ${data.secret}`);
      if (world.chance(0.3)) return undefined;
      return new Date(now.getTime() + Math.floor(world.between(-50, 1_200)));
    },
    scrub({ token, landed }) {
      if (world.fault("scrub throws", 0.1)) throw new Error(`cannot scrub what ${landed.join()} left`);
      return { token, landed: [] };
    },
    hook(_kind, _index, { data }) {
      const end = () => {
        if (world.fault("hook throws", 0.3)) throw new Error(`the hook saw ${data?.secret}`);
      };
      if (world.chance(0.5)) return end();
      return host.sleep(world.chance(0.2) && !world.calm ? world.between(100, 1_500) : world.between(0, 20))
        .then(end);
    },
  };
}

function act(
  stage: Stage,
  run: StepRun<Trail>,
  what: What,
  to: readonly string[],
  mark: string,
): Answer | Promise<Answer> {
  const { world, host } = stage;
  if (world.chance(0.4)) return decide(stage, run, what, to, mark);
  const delay = world.chance(0.15) && !world.calm ? world.between(100, 3_000) : world.between(0, 20);
  return host.sleep(delay).then(() => decide(stage, run, what, to, mark));
}

const controls = ["", "", "", "", "", "", "", "", "repeat", "repeat", "pause", "skip", "fail", "cancel"];

function decide(
  stage: Stage,
  run: StepRun<Trail>,
  what: What,
  to: readonly string[],
  mark: string,
): Answer {
  const { world, trails } = stage;
  if (what !== "callback" && world.chance(0.15)) trails.untouched(run.runId, mark);
  // Callbacks of one status are asked one after the other, on the same data.
  else if (what !== "callback" || run.data.landed.at(-1) !== mark) run.data.landed.push(mark);
  if (world.fault(`${what} throws`, what === "timer" ? 0.25 : 0.15)) {
    throw new Error(`error ${world.random.hex(4)} with ${run.data.secret}`);
  }
  if (what === "timer" && !world.calm && world.chance(0.35)) return { rearm: world.between(0, 300) | 0 };
  // Most calls of the outside world leave the run where it is: they come in numbers, while its step runs.
  if (what === "callback" && !world.calm && world.chance(0.4)) {
    return world.chance(0.5) ? run.skip() : run.repeat();
  }
  if (world.calm) return homeward(stage, run, to);
  const answer = world.pick(controls) || (to.length > 0 ? world.pick(to) : "skip");
  if (answer === "repeat") return run.repeat();
  if (answer === "pause") return run.pause("the code says so");
  if (answer === "skip") return run.skip();
  if (answer === "fail" && world.chance(0.3)) return run.fail("the code says so");
  if (answer === "cancel" && world.chance(0.3)) return run.cancel("the code says so");
  return to.includes(answer) ? answer : to[0] ?? run.skip();
}

/** Transitions that a run may make when all is calm, before its code gives it up. */
const calmMovesMax = 8;

/** All is calm: the run is to end, by the shortest way, and not to go in circles. */
function homeward({ distances, calmMoves }: Stage, run: StepRun<Trail>, to: readonly string[]): Answer {
  if (to.length === 0) return run.skip();
  const moves = (calmMoves.get(run.runId) ?? 0) + 1;
  calmMoves.set(run.runId, moves);
  if (moves > calmMovesMax) return run.cancel("it goes in circles");
  const far = (status: string) => distances.get(status) ?? Infinity;
  return to.reduce((best, each) => far(each) < far(best) ? each : best);
}
