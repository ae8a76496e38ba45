/**
 * Lives random lives on engines and compares each with what the model expects of it.
 *
 * @module
 */
import fc from "fast-check";
import type { StoreKind } from "../engine/stores.ts";
import { liveOn } from "./live.ts";
import { expect } from "./model_life.ts";
import { difference, type Picture } from "./picture.ts";
import type { Program } from "./program.ts";
import { type Scenario, scenarios } from "./scenario.ts";

/** Which lives. */
export interface Which {
  readonly seed: number;
  readonly runs: number;
  /** Where a failure was found: lives that one again, as it was shrunk. */
  readonly path?: string;
  /** Smaller lives that are tried after a failure at most; default 2,000. */
  readonly shrinks?: number;
}

/** What came of them. */
export interface Compared {
  readonly lived: number;
  /** Lives of which the documentation leaves something free. */
  readonly free: number;
  /** The failure, for a reader; absent: there was none. */
  readonly failure?: string;
}

/** Lives one on a new store. */
export async function picturesOf(scenario: Scenario, kinds: readonly StoreKind[]): Promise<Picture[]> {
  const { lived } = expect(scenario);
  const pictures: Picture[] = [];
  for (const kind of kinds) {
    const { store, close } = await kind.open();
    try {
      pictures.push(await liveOn(store, lived, kind.isAttended));
    } finally {
      await close();
    }
  }
  return pictures;
}

/**
 * @param which Which lives.
 * @param kindOf On which kind of store each is lived.
 * @returns What came of them.
 */
export async function compare(which: Which, kindOf: (scenario: Scenario) => StoreKind): Promise<Compared> {
  let lived = 0;
  let free = 0;
  const { seed, runs: numRuns, path, shrinks: shrinksMax = 2_000 } = which;
  let shrinks = 0;
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    if (shrinks > 0 && shrinks++ > shrinksMax) return;
    lived++;
    const expected = expect(scenario);
    if (expected.free !== undefined) return void free++;
    const [actual] = await picturesOf(scenario, [kindOf(scenario)]);
    const found = difference(expected.picture, actual!);
    if (found === undefined) return;
    shrinks ||= 1;
    throw new Error(found);
  });
  const details = await fc.check(property, { seed, numRuns, ...(path !== undefined && { path }) });
  if (!details.failed) return { lived, free };
  const [scenario] = details.counterexample!;
  const failure = tell(scenario, kindOf(scenario).name, details.errorInstance) +
    `\n\nagain: deno task model --seed ${details.seed} --path ${details.counterexamplePath}`;
  return { lived, free, failure };
}

/** A life and what went wrong with it. */
export function tell(scenario: Scenario, where: string, error: unknown): string {
  const { lived } = expect(scenario);
  const asks = lived.asks.map(({ waitMs, ask }, index) =>
    `${index}: ${waitMs} ms later ${JSON.stringify(ask)}`
  );
  const from = scenario.isGuest ? "another engine than the one that works" : "the engine that works";
  return [
    `on ${where}, asked of ${from}, script ${scenario.seed}`,
    ...scenario.programs.flatMap(programLines),
    ...asks,
    error instanceof Error ? error.message : String(error),
  ].join("\n");
}

function programLines({ name, graph, ...rest }: Program): string[] {
  const places = Object.entries(graph).map(([status, place]) => `  ${status}: ${JSON.stringify(place)}`);
  return [`program "${name}" ${JSON.stringify(rest)}`, ...places];
}
