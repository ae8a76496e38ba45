/**
 * A life to be lived on an engine and by the model: programs, a script, and what is asked of them when.
 *
 * @module
 */
import fc from "fast-check";
import { programs } from "./arbitrary.ts";
import { type Program, statusesOf } from "./program.ts";
import type { Trail } from "./script.ts";

/** What is wrong with what somebody gives. */
export type Odd = "unjson" | "large" | undefined;

type Operation = "pause" | "resume" | "cancel" | "deleteData";

/** What somebody asks for. A run goes by its number: the first that was created is 0. */
export type Ask =
  & { readonly program: number; readonly key: string }
  & (
    | {
      readonly verb: "trigger";
      readonly data: Trail;
      readonly odd: Odd;
      readonly startAt: string | undefined;
      readonly idempotencyKey: string | undefined;
    }
    | {
      readonly verb: "callback";
      readonly status: string;
      readonly mark: string;
      readonly odd: Odd;
      readonly run: number | undefined;
      readonly idempotencyKey: string | undefined;
    }
    | { readonly verb: Operation; readonly run: number | undefined; readonly reason: string | undefined }
    | { readonly verb: "retryHooks" }
  );

/** An ask before it is known where the runs are by then: small numbers, so that it shrinks. */
export interface AskGene {
  /** How long after the one before. */
  readonly waitMs: number;
  readonly verb: Ask["verb"];
  readonly program: number;
  readonly key: number;
  readonly startAt: number;
  readonly where: number;
  readonly once: number;
  readonly which: number;
  readonly about: number;
  readonly odd: number;
}

/** A life before it is lived. */
export interface Scenario {
  readonly seed: number;
  readonly programs: readonly Program[];
  readonly asks: readonly AskGene[];
  /** Asked of another engine than the one that works. */
  readonly isGuest: boolean;
}

/** A life as the model has lived it, for an engine to live. */
export interface Lived {
  readonly scenario: Scenario;
  readonly asks: readonly { readonly waitMs: number; readonly ask: Ask }[];
  /** The program and key of each run. */
  readonly runs: readonly { readonly program: number; readonly key: string }[];
  /** All keys of all programs. */
  readonly keys: readonly { readonly program: number; readonly key: string }[];
}

/** A run that an ask may be about. */
export interface Seen {
  readonly number: number;
  readonly program: number;
  readonly key: string;
  readonly status: string;
  readonly isOver: boolean;
}

const verbs: readonly Ask["verb"][] = [
  ...["trigger", "trigger", "trigger", "trigger", "trigger", "trigger"] as const,
  ...["callback", "callback", "callback", "callback", "callback", "callback", "callback"] as const,
  ...["pause", "pause", "resume", "resume", "cancel", "deleteData", "deleteData", "retryHooks"] as const,
];

/** The keys of every program. */
export const keys: readonly string[] = ["k1", "k 2", "k3"];

const waits: fc.Arbitrary<number> = fc.oneof(
  { withCrossShrink: true },
  { arbitrary: fc.nat(30), weight: 5 },
  { arbitrary: fc.nat(400), weight: 3 },
  { arbitrary: fc.nat(5_000), weight: 1 },
);

const ask: fc.Arbitrary<AskGene> = fc.record({
  waitMs: waits,
  verb: fc.constantFrom(...verbs),
  program: fc.constantFrom(0, 0, 0, 1),
  key: fc.constantFrom(0, 0, 0, 1, 1, 2),
  startAt: fc.nat(19),
  where: fc.nat(19),
  once: fc.nat(9),
  which: fc.nat(9),
  about: fc.nat(19),
  odd: fc.nat(59),
});

/** Without a run there is nothing to ask for. */
const first: fc.Arbitrary<AskGene> = ask.map((gene) => ({
  ...gene,
  verb: "trigger",
  key: 0,
  once: 0,
  odd: 0,
}));

/** Random lives. */
export const scenarios: fc.Arbitrary<Scenario> = fc.noBias(fc.record({
  seed: fc.nat(0x7fffffff),
  programs: programs({ programsMax: 2, mayNeverResume: true }),
  asks: fc.tuple(first, fc.array(ask, { maxLength: 24, size: "max" })).map(([one, more]) => [one, ...more]),
  isGuest: fc.boolean(),
}));

/** How long a life goes on after the last ask. */
export const restMs = 6_000;

/**
 * @param scenario The life.
 * @param index Which of its asks.
 * @param runs All that are there, in order.
 * @returns What is asked, given where the runs are.
 */
export function askOf({ programs, asks }: Scenario, index: number, runs: readonly Seen[]): Ask {
  const gene = asks[index]!;
  const { verb, odd } = gene;
  const plain = { program: gene.program % programs.length, key: keys[gene.key]! };
  const target = verb === "trigger" ? undefined : targetOf(gene, runs);
  const { program, key } = target ?? plain;
  const name = { program, key };
  const { graph } = programs[program]!;
  const open = Object.keys(graph).filter((status) => (graph[status]!.callbacks ?? []).length > 0);
  if (verb === "trigger") return triggerOf(gene, index, { ...name, graph });
  if (verb === "retryHooks") return { verb, ...name };
  const latest = runs.findLast((run) => run.program === program && run.key === key);
  const run = runOf(gene.which, target ?? latest, runs);
  if (verb === "callback" && (open.length > 0 || gene.where >= 18)) {
    const once = onceOf(gene.once, "j");
    const status = statusOf(gene.where, { graph, open, at: (target ?? latest)?.status });
    const mark = once.token ?? `c${index}`;
    return { verb, ...name, status, mark, odd: oddOf(odd), run, idempotencyKey: once.idempotencyKey };
  }
  const reason = odd < 40 ? `because of ask ${index}` : undefined;
  return {
    verb: verb === "callback" ? (gene.where % 2 === 0 ? "pause" : "resume") : verb,
    ...name,
    run,
    reason,
  };
}

function triggerOf(
  gene: AskGene,
  index: number,
  { graph, ...name }: { readonly program: number; readonly key: string; readonly graph: Program["graph"] },
): Ask {
  const { token = `t${index}`, idempotencyKey } = onceOf(gene.once, "i");
  const statuses = gene.startAt < 18 ? Object.keys(graph) : [...statusesOf(graph), "nowhere"];
  const startAt = gene.startAt < 9 ? undefined : statuses[gene.startAt % statuses.length];
  return {
    verb: "trigger",
    ...name,
    data: { token, trail: [] },
    odd: oddOf(gene.odd),
    startAt,
    idempotencyKey,
  };
}

/** Now and then the same idempotency key, and sometimes with another input. */
function onceOf(once: number, prefix: string): { readonly idempotencyKey?: string; readonly token?: string } {
  if (once < 7) return {};
  const idempotencyKey = `${prefix}${once % 2}`;
  return { idempotencyKey, token: once === 9 ? `${idempotencyKey}'` : idempotencyKey };
}

function oddOf(odd: number): Odd {
  return odd === 59 ? "unjson" : odd === 58 ? "large" : undefined;
}

/** Mostly a run that goes on. */
function targetOf({ about }: AskGene, runs: readonly Seen[]): Seen | undefined {
  const active = runs.filter(({ isOver }) => !isOver);
  const among = about < 14 && active.length > 0 ? active : about < 19 ? runs : [];
  return among.at(-1 - about % Math.max(1, among.length));
}

/** Mostly none is named, so the latest of the key is meant; else mostly the one; now and then one of any key. */
function runOf(which: number, target: Seen | undefined, runs: readonly Seen[]): number | undefined {
  if (which < 5) return undefined;
  return which < 9 ? target?.number : runs[which % Math.max(1, runs.length)]?.number;
}

/** Mostly where the run is, if that takes a callback; else any that does; now and then one that does not. */
function statusOf(
  where: number,
  { graph, open, at }: {
    readonly graph: Program["graph"];
    readonly open: readonly string[];
    readonly at: string | undefined;
  },
): string {
  const all = [...statusesOf(graph), "nowhere"];
  if (where >= 18) return all[where % all.length]!;
  return where < 15 && at !== undefined && open.includes(at) ? at : open[where % open.length]!;
}
