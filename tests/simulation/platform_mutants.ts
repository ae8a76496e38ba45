/**
 * The rules about what is around an engine, broken on purpose.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const test = "tests/engine/platform_test.ts";

/** Every such rule. */
export const platformMutants: readonly Mutant[] = [
  {
    name: "a step that needs the network starts without it",
    home: "browser",
    file: "core/engine/lane.ts",
    find: "return this.#bounds.needsNetwork === true && !this.#platform.isOnline();",
    replace: "return false;",
  },
  {
    name: "what fails for want of the network is counted",
    test,
    file: "core/engine/run_turn.ts",
    find: 'if (landing.kind !== "error" || !isCut(this.#context, this.#policy)) return false;',
    replace: "return false;",
  },
  {
    name: "a tab that is left gives nothing back",
    test,
    file: "core/engine/platform_watch.ts",
    find: 'if (platform.readiness() === "suspended") await this.#suspend();\n      else ',
    replace: "",
  },
  {
    name: "a tab that is shown again begins nothing",
    test,
    file: "core/engine/platform_watch.ts",
    find: 'if (works && this.#told === "suspended") await this.#begin();\n    else if',
    replace: "if",
  },
  {
    name: "who was never shown is taken for gone",
    test,
    file: "core/engine/look.ts",
    find: "presences.filter((entry) => readPresence(entry).signs)",
    replace: "presences",
  },
  {
    name: "a hidden tab keeps what a visible one could do",
    test,
    file: "core/engine/shares.ts",
    find: "(active.length > 0 ? active : fit)",
    replace: "fit",
  },
];
