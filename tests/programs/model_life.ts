/**
 * Lives a scenario by the model.
 *
 * @module
 */
import { Model } from "./model.ts";
import { ModelVerbs } from "./model_verbs.ts";
import { lifeText, type Picture, removedText, timerText } from "./picture.ts";
import { type Ask, askOf, keys, type Lived, restMs, type Scenario, type Seen } from "./scenario.ts";

/** What the model expects. */
export interface Expected {
  readonly lived: Lived;
  readonly picture: Picture;
  /** Why the documentation leaves free what happens, if it does: nothing is expected then. */
  readonly free: string | undefined;
}

/** Things that happen at one moment at most; more is a program that never rests. */
const momentMax = 5_000;

/**
 * @param scenario A life.
 * @returns What is expected of it.
 */
export function expect(scenario: Scenario): Expected {
  const model = new Model(scenario.programs, scenario.seed);
  const verbs = new ModelVerbs(model, scenario.isGuest);
  const asks: { readonly waitMs: number; readonly ask: Ask }[] = [];
  scenario.asks.forEach(({ waitMs }, index) => {
    advance(model, verbs, waitMs);
    const ask = askOf(scenario, index, seen(model));
    asks.push({ waitMs, ask });
    verbs.ask(index, ask);
    settle(model, verbs);
  });
  advance(model, verbs, restMs);
  const programOf = (program: typeof model.programs[number]) => model.programs.indexOf(program);
  const names = model.programs.flatMap((_, program) => keys.map((key) => ({ program, key })));
  const runs = model.runs.map(({ program, key }) => ({ program: programOf(program), key }));
  return {
    lived: { scenario, asks, runs, keys: names },
    free: model.free,
    picture: {
      runs: runLines(model, verbs, names),
      answers: asks.map((_, index) => verbs.answers.get(index) ?? "no answer yet"),
      hooks: [...model.hooks.calls.toSorted(), ...model.hooks.parked.toSorted()],
    },
  };
}

function seen({ runs, programs }: Model): Seen[] {
  return runs.filter(({ isRemoved }) => !isRemoved).map(({ number, program, key, status, isOver }) => {
    return { number, program: programs.indexOf(program), key, status, isOver };
  });
}

function runLines(model: Model, verbs: ModelVerbs, names: Lived["keys"]): string[] {
  const lives = model.runs.flatMap((run) =>
    run.isRemoved ? removedText(run.number, run.versions) : lifeText(run.view, run.history)
  );
  const latest = names.map(({ program, key }) => {
    const run = verbs.runsOf(model.programs[program]!, key).at(-1);
    return `latest of ${program} ${key}: ${run?.number ?? "none"}`;
  });
  const timers = model.runs.flatMap((run) =>
    run.timers.map((timer) => timerText(run.number, timer, timer.attempt, run.state === "paused"))
  );
  return [...lives, ...latest, ...timers.toSorted()];
}

function advance(model: Model, verbs: ModelVerbs, ms: number): void {
  const until = model.now + ms;
  for (;;) {
    const next = Math.min(model.next, verbs.next);
    if (next > until) break;
    model.now = Math.max(model.now, next);
    settle(model, verbs);
  }
  model.now = until;
}

/** Everything happens that can happen without time going by. */
function settle(model: Model, verbs: ModelVerbs): void {
  for (let count = 0; model.happen() || verbs.happen(); count++) {
    if (count > momentMax) throw new Error("the program never rests");
  }
  model.tick();
}
