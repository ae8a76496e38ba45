/**
 * The rules of durability that the simulator must see broken when a browser loses power.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const home = "browser";
const isRelaxed = {
  home,
  file: "core/engine/write_change.ts",
  find: "const isRelaxed = isProgress && !isFinished((after ?? record).state) && !isTold;",
} as const;

/** Every such rule that is broken on purpose. */
export const powerMutants: readonly Mutant[] = [
  {
    name: "a trigger is relaxed",
    home,
    file: "core/engine/trigger.ts",
    find: "  const batch = new BatchBuilder();\n",
    replace: "  const batch = new BatchBuilder({ relaxed: true });\n",
  },
  {
    name: "the end of a run is relaxed",
    near: 340,
    ...isRelaxed,
    replace: "const isRelaxed = isProgress && !isTold;",
  },
  {
    name: "an operator's verb is relaxed",
    ...isRelaxed,
    replace: "const isRelaxed = isProgress && !isFinished((after ?? record).state) && !isTold ||\n" +
      '    event?.by === "operator";',
  },
  {
    name: "a callback is relaxed",
    near: 38,
    ...isRelaxed,
    replace: "const isRelaxed = isProgress && !isFinished((after ?? record).state) && !isTold ||\n" +
      '    event?.by === "callback";',
  },
  {
    name: "a transition that a log tells of is relaxed",
    ...isRelaxed,
    replace: "const isRelaxed = isProgress && !isFinished((after ?? record).state) && !hasHooks;",
  },
  {
    name: "a pause that hooks hear of is relaxed",
    near: 473,
    ...isRelaxed,
    replace: "const isRelaxed = isProgress && !isFinished((after ?? record).state) && logged === undefined;",
  },
  {
    name: "what is sent to a topic is relaxed",
    near: 25,
    home,
    file: "core/engine/store_streamer.ts",
    find: "const batch = new BatchBuilder().putStamped(",
    replace: "const batch = new BatchBuilder({ relaxed: true }).putStamped(",
  },
  {
    name: "an ack is relaxed",
    home,
    file: "core/engine/stream_cursor.ts",
    find: "const batch = new BatchBuilder().check(this.#key, this.#version).put(",
    replace: "const batch = new BatchBuilder({ relaxed: true }).check(this.#key, this.#version).put(",
  },
  {
    name: "the place where a receiver of the latest begins is relaxed",
    near: 1098,
    home,
    file: "core/engine/stream_cursor.ts",
    find: "const batch = new BatchBuilder().check(key, null).put(",
    replace: "const batch = new BatchBuilder({ relaxed: true }).check(key, null).put(",
  },
];
