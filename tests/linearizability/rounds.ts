/**
 * Rounds, one after the other, each judged at once.
 *
 * @module
 */
import type { CallResult } from "../../core/store/store.ts";
import { checkHistory } from "./check_history.ts";
import { explain } from "./explain.ts";
import type { History } from "./history.ts";
import { type KindName, kinds } from "./kinds.ts";
import { type Mishap, type Scene, sceneHere } from "./scene.ts";
import { sceneAway } from "./scene_away.ts";

/** How many of what. */
export interface Counts {
  histories: number;
  operations: number;
  reads: number;
  commits: number;
  /** Commits of which some check or guard did not hold. */
  conflicts: number;
  /** Commits without an answer. */
  unknown: number;
  /** How often a client found out what became of one. */
  settled: number;
  /** Commits that the store did not take, as it was busy or away. */
  refused: number;
  /** How often a server that hung had to be killed and started again. */
  revivals: number;
  /** Places that the checker has tried. */
  effort: number;
  /** Milliseconds of clients at work, and of the checker. */
  clientMs: number;
  checkMs: number;
}

/** How to go about it. */
export interface RoundsOptions {
  readonly kind: KindName;
  readonly seed: number;
  /** Whether another round follows, asked before each. */
  readonly more: (counts: Readonly<Counts>) => boolean;
  /** Answered operations per client and round. */
  readonly operations?: number;
  /** Clients, per process where they have processes. */
  readonly clients?: number;
  readonly processes?: number;
  /** The name of a rule that stores in processes of their own break. */
  readonly plant?: string;
}

/** What came of it. */
export interface RoundsReport {
  readonly counts: Readonly<Counts>;
  /** Why the last history is no good; absent: all were linearizable. */
  readonly violation?: string;
  /** The history that is no good. */
  readonly history?: History;
}

/** What may happen in the middle of a round, in turn. `undefined`: nothing. */
const mishaps: Readonly<Record<"here" | "file" | "http" | "ws", readonly (Mishap | undefined)[]>> = {
  here: [undefined],
  file: [undefined, "a client is killed"],
  http: ["requests get lost", "the server is killed", undefined, "a client is killed"],
  ws: ["requests get lost", "the server is killed", undefined, "a client is killed"],
};

/** Rounds in one process are short, so a new store now and then costs little and begins with new chances. */
const roundsPerScene = 8;

/** Lives through rounds until there are no more, or one is no good. */
export async function runRounds(options: RoundsOptions): Promise<RoundsReport> {
  const { kind, seed, more, operations = 40 } = options;
  const { home } = kinds[kind];
  const isHere = home === "here";
  const clients = options.clients ?? (isHere ? 6 : 3);
  const counts = noCounts();
  let scene: Scene | undefined;
  try {
    for (let round = 0; more(counts); round++) {
      if (!scene || (isHere && round % roundsPerScene === 0)) {
        await scene?.close();
        scene = await begin(options, round);
      }
      const mishap = mishaps[home][round % mishaps[home].length];
      const began = performance.now();
      const history = await scene.round({
        name: `${seed}.${round}`,
        seed: seed * 1_009 + round,
        operations,
        clients,
        ...(mishap && { mishap }),
      });
      const ended = performance.now();
      counts.revivals = scene.revivals;
      const verdict = checkHistory(history);
      tally(counts, history, verdict.effort);
      counts.clientMs += ended - began;
      counts.checkMs += performance.now() - ended;
      if (verdict.verdict !== "linearizable") {
        const words = explain(history, verdict);
        return {
          counts,
          history,
          violation: `${kind}, seed ${seed}, round ${round}, ${mishap ?? "no mishap"}\n${words}`,
        };
      }
    }
    return { counts };
  } finally {
    await scene?.close();
  }
}

function begin({ kind, seed, processes = 3, plant }: RoundsOptions, round: number): Promise<Scene> | Scene {
  const found = kinds[kind];
  if (found.home === "here") return sceneHere(found, seed * 1_009 + round);
  return sceneAway(kind as Parameters<typeof sceneAway>[0], {
    processes,
    ...(plant !== undefined && { plant }),
  });
}

function noCounts(): Counts {
  return {
    histories: 0,
    operations: 0,
    reads: 0,
    commits: 0,
    conflicts: 0,
    unknown: 0,
    settled: 0,
    refused: 0,
    revivals: 0,
    effort: 0,
    clientMs: 0,
    checkMs: 0,
  };
}

function tally(counts: Counts, { operations }: History, effort: number): void {
  const commits = operations.filter((each) => each.kind === "commit");
  const answered = commits.flatMap(({ calls, answer }) =>
    typeof answer === "string" ? [] : [{ calls, answer }]
  );
  counts.histories++;
  counts.effort += effort;
  counts.operations += operations.length;
  counts.reads += operations.length - commits.length;
  counts.commits += commits.length;
  counts.refused += commits.filter((each) => each.answer === "refused").length;
  counts.unknown += commits.filter((each) => each.answer === "unknown").length;
  counts.conflicts += answered.filter(({ answer }) => answer.some(isConflict)).length;
  // Only who settles a lost call sends calls without batches.
  counts.settled += answered.filter(({ calls }) => calls.every((call) => call.batches.length === 0)).length;
}

function isConflict(told: CallResult): boolean {
  if (told.outcome !== "done") return told.outcome === "guard-failed";
  return told.results.some((each) => !each.ok);
}
