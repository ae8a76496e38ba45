/**
 * Random programs: machines as data, drawn and shrunk by fast-check. A program is made of a genome of small numbers, so
 * that drawing is cheap, and that every shrink is a program too; 0 is always the plainest choice.
 *
 * @module
 */
import fc from "fast-check";
import type { StepOptions } from "../../core/engine/step_options.ts";
import type { HookOptions, TimeoutOptions } from "../../core/machine/machine.ts";
import type { HookKind } from "../../core/parts/chore.ts";
import type { DuePlan, Graph, Place, Program, StepPlan, TimerPlan } from "./program.ts";

/** What programs may be like. */
export interface ProgramsOptions {
  /** Programs of one draw at most; default 3. */
  readonly programsMax?: number;
  /** Statuses of one graph that lead somewhere, at most; default 6. With them go 1 or 2 that are ends. */
  readonly placesMax?: number;
  /** Some programs never resume a paused run by themselves; default false. */
  readonly mayNeverResume?: boolean;
}

const names = ["one", "two x", "three"];
const placeNames = ["a", "b", "c", "d", "e", "f", "g", "h"];
const endNames = ["end", "gone away"];
const timerNames = ["remind", "expire", "noon tide"];
const hookNames = ["first", "second"];
const hookKinds: readonly HookKind[] = ["complete", "pause", "resume", "cancel", "fail", "delete"];

/** Where something may lead: each a number that is taken modulo the graph's statuses. */
type To = readonly number[];

interface TimerGene {
  readonly to: To;
  readonly due: number;
  readonly ms: number;
  readonly pauseAfterErrors: number;
  readonly concurrency: number;
  readonly timeout: number;
  readonly factor: number;
}

interface PlaceGene {
  /** What leads on from it: its step, else its first callback, else its first timer. */
  readonly by: number;
  /** Where that leads besides; `onward` leads it nearer to an end, so that every run can get to one. */
  readonly to: To;
  readonly onward: number;
  readonly callbacks: readonly To[];
  readonly timers: readonly TimerGene[];
  readonly lag: number;
  readonly pauseAfterErrors: number;
  readonly concurrency: number;
  readonly timeout: number;
  readonly factor: number;
}

interface ProgramGene {
  readonly places: readonly PlaceGene[];
  readonly ends: number;
  readonly pauseRetry: number;
  readonly never: number;
  readonly keepFinished: number;
  readonly scrubs: boolean;
  readonly stream: boolean;
  /** How many hooks of each kind, in base 3. */
  readonly hooks: number;
  readonly hookTimeout: number;
}

const to: fc.Arbitrary<To> = fc.array(fc.nat(9), { maxLength: 3, size: "max" });

/** Mostly none, as most statuses have none. */
function few<Item>(item: fc.Arbitrary<Item>, lengthMax: number): fc.Arbitrary<readonly Item[]> {
  return fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.constant([]), weight: 2 },
    { arbitrary: fc.array(item, { minLength: 1, maxLength: lengthMax, size: "max" }), weight: 1 },
  );
}

const timer: fc.Arbitrary<TimerGene> = fc.record({
  to,
  due: fc.nat(4),
  ms: fc.nat(1_000),
  pauseAfterErrors: fc.nat(5),
  concurrency: fc.nat(5),
  timeout: fc.nat(5),
  factor: fc.nat(5),
});

const place: fc.Arbitrary<PlaceGene> = fc.record({
  by: fc.nat(5),
  to,
  onward: fc.nat(9),
  callbacks: few(to, 3),
  timers: few(timer, 3),
  lag: fc.nat(9),
  pauseAfterErrors: fc.nat(5),
  concurrency: fc.nat(5),
  timeout: fc.nat(5),
  factor: fc.nat(5),
});

/**
 * Random programs, as plain data. The same seed gives the same ones, and how many runs a check has makes none of them
 * larger or smaller, so one sample per seed is as good as a check of many runs.
 *
 * @param options What they may be like.
 * @returns One to `programsMax` programs with names of their own.
 */
export function programs(options: ProgramsOptions = {}): fc.Arbitrary<readonly Program[]> {
  const { programsMax = names.length, placesMax = 6, mayNeverResume = false } = options;
  const gene: fc.Arbitrary<ProgramGene> = fc.record({
    places: fc.array(place, { minLength: 1, maxLength: placesMax, size: "max" }),
    ends: fc.nat(1),
    pauseRetry: fc.nat(2_000),
    never: mayNeverResume ? fc.nat(4) : fc.constant(0),
    keepFinished: fc.nat(5),
    scrubs: fc.boolean(),
    stream: fc.boolean(),
    hooks: few(fc.nat(3 ** hookKinds.length - 1), 1).map(([found = 0]) => found),
    hookTimeout: fc.nat(3),
  });
  return fc.noBias(
    fc.array(gene, { minLength: 1, maxLength: Math.min(programsMax, names.length), size: "max" })
      .map((genes) => genes.map((each, index) => programOf(names[index]!, each))),
  );
}

function programOf(name: string, gene: ProgramGene): Program {
  const { keepFinished, hookTimeout } = gene;
  const keepFinishedMs = keepFinished < 3 ? undefined : (keepFinished - 2) * 1_500;
  return {
    name,
    graph: graphOf(gene),
    pauseRetryMs: gene.never === 4 ? false : 3_000 + gene.pauseRetry,
    ...(keepFinishedMs !== undefined && { keepFinishedMs }),
    scrubs: gene.scrubs,
    stream: gene.stream,
    hooks: hooksOf(gene.hooks, hookTimeout),
  };
}

function hooksOf(count: number, timeout: number): Program["hooks"] {
  const hooks: Partial<Record<HookKind, readonly HookOptions[]>> = {};
  hookKinds.forEach((kind, digit) => {
    const list = hookNames.slice(0, Math.floor(count / 3 ** digit) % 3);
    if (list.length === 0) return;
    hooks[kind] = list.map((name): HookOptions => ({
      name,
      retry: { initial: 20, max: 200 },
      parkAfterErrors: 3,
      ...(timeout === 3 && { timeout: 400, concurrency: 2 }),
    }));
  });
  return hooks;
}

function graphOf({ places, ends }: ProgramGene): Graph {
  const open = placeNames.slice(0, places.length);
  const over = endNames.slice(0, 1 + ends);
  // What a gene leads to is an end first, so that a shrunk one leads there.
  const statuses = [...over, ...open];
  return Object.fromEntries(places.map((gene, index) => {
    const nearer = [...over, ...open.slice(index + 1)];
    const statusOf = (number: number) => statuses[number % statuses.length]!;
    return [open[index]!, placeOf(gene, nearer[gene.onward % nearer.length]!, statusOf)];
  }));
}

function placeOf(gene: PlaceGene, onward: string, statusOf: (number: number) => string): Place {
  const all = (to: To) => [...new Set(to.map(statusOf))];
  const leading: StepPlan["to"] = [onward, ...all(gene.to).filter((status) => status !== onward)];
  const timers = gene.timers.map((each, index) => timerOf(each, timerNames[index]!, all(each.to)));
  const callbacks: (readonly string[])[] = gene.callbacks.map(all);
  const by = gene.by === 5 ? "timer" : gene.by >= 3 ? "callback" : "step";
  if (by === "timer") {
    const [first] = timers;
    // One that is drawn may be drawn never.
    const due: DuePlan = first && first.due !== "drawn" ? first.due : { after: gene.lag * 100 };
    timers.splice(0, 1, { name: timerNames[0]!, to: leading, due, options: attemptOptions(gene, 300) });
  }
  if (by === "callback") callbacks.splice(0, 1, leading);
  return {
    ...(by === "step" && { step: { to: leading, ...stepOptions(gene) } }),
    ...(callbacks.length > 0 && { callbacks }),
    ...(timers.length > 0 && { timers }),
  };
}

function stepOptions(gene: PlaceGene): { readonly options?: StepOptions } {
  const lag = gene.lag < 6 ? 0 : (gene.lag - 5) * 12;
  return { options: { ...attemptOptions(gene, 400), ...(lag > 0 && { lag }) } };
}

function timerOf(gene: TimerGene, name: string, to: readonly string[]): TimerPlan {
  const { due, ms } = gene;
  const plan: DuePlan = due === 4 ? "drawn" : due === 3 ? { at: ms * 8 } : { after: ms };
  return { name, to, due: plan, options: attemptOptions(gene, 300) };
}

/** How attempts are made of what has attempts. */
function attemptOptions(
  gene: Pick<PlaceGene, "pauseAfterErrors" | "concurrency" | "timeout" | "factor">,
  retryMaxMs: number,
): Omit<TimeoutOptions, "name"> {
  const { pauseAfterErrors, concurrency, timeout, factor } = gene;
  return {
    retry: {
      initial: 20,
      max: retryMaxMs,
      ...(factor >= 3 && { factor: factor - 2, jitter: factor === 5 }),
    },
    ...(pauseAfterErrors >= 3 && { pauseAfterErrors: pauseAfterErrors - 2 }),
    ...(concurrency >= 4 && { concurrency: concurrency - 3 }),
    ...(timeout >= 4 && { timeout: (timeout - 3) * 500 }),
  };
}
