/**
 * What the clients of one world ask for, and what they are told.
 *
 * @module
 */
import { RunEndedError } from "../../core/errors.ts";
import type { Machine } from "../../core/machine/machine.ts";
import { isFinished, type RunState } from "../../core/parts/run_record.ts";
import type { Fleet, Node } from "./fleet.ts";
import { graphs, statusesOf, type Trail } from "./machines.ts";
import { short } from "./run_checks.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** What a client was told of a run. */
export type Told =
  & { readonly runId: string }
  & (
    | {
      readonly verb: "trigger";
      readonly token: string;
      readonly created: boolean;
      /** Equal ones must have got equal runs. */
      readonly scope: string | undefined;
    }
    | { readonly verb: "pause" | "resume" | "cancel"; readonly version: number }
    | {
      readonly verb: "await";
      readonly status: string | undefined;
      readonly state: RunState;
      readonly met: boolean;
    }
  );

/** A trigger that a client was told has failed; its token was used for no other. */
export interface Refused {
  readonly token: string;
  readonly code: unknown;
}

type Subject = { readonly node: Node; readonly definition: Machine<Trail>; readonly key: string };

const verbs = ["trigger", "trigger", "trigger", "trigger", "pause", "resume", "cancel"] as const;

export class Clients {
  /** Everything anybody was told. */
  readonly told: Told[] = [];
  readonly refused: Refused[] = [];
  /** Calls of living clients that have no answer yet. */
  open = 0;
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #shadow: Shadow;
  #calls = 0;

  constructor(world: World, fleet: Fleet, shadow: Shadow) {
    this.#world = world;
    this.#fleet = fleet;
    this.#shadow = shadow;
  }

  /** Somebody asks for something. */
  act(): void {
    const world = this.#world;
    const alive = this.#fleet.alive;
    if (alive.length === 0) return;
    const node = world.pick(alive);
    const subject = { node, definition: world.pick(node.machines), key: world.pick(["k1", "k2", "k3"]) };
    const verb = world.pick(verbs);
    if (verb === "trigger") return this.#trigger(subject);
    this.#operate(subject, verb);
    // What is paused may stay so for long; some clients hold the door.
    if (verb === "pause" && world.chance(0.5)) {
      node.host.later(world.between(10, 600), () => this.#operate(subject, "resume"));
    }
  }

  /** What a step's `skip` has left alone is taken up by a pause and its automatic end. */
  takeCare(): void {
    const node = this.#fleet.alive[0];
    if (!node) return;
    for (const run of this.#shadow.runs()) {
      if (isFinished(run.state) || run.due !== undefined) continue;
      const definition = node.machines.find(({ name }) => name === run.definition)!;
      this.#operate({ node, definition, key: run.key }, "pause");
    }
  }

  #operate({ node, definition, key }: Subject, verb: "pause" | "resume" | "cancel"): void {
    this.#track(node, verb, async () => {
      const { runId, version } = await node.engine[verb](definition, key);
      return { verb, runId, version };
    });
  }

  #trigger(subject: Subject): void {
    const { node, definition, key } = subject;
    const world = this.#world;
    const idempotencyKey = world.chance(0.4) ? world.pick(["i1", "i2"]) : undefined;
    const token = idempotencyKey ?? `t${this.#calls++}`;
    const data = { token, landed: [] };
    const options = { data, ...(idempotencyKey !== undefined && { idempotencyKey }) };
    const scope = idempotencyKey && `${definition.name} ${key} ${idempotencyKey}`;
    const awaits = world.chance(0.5);
    this.#track(node, "trigger", async () => {
      const { runId, created } = await node.engine.trigger(definition, key, options);
      if (awaits) this.#await(subject, runId);
      return { verb: "trigger", runId, token, created, scope };
    }, (code) => {
      if (scope === undefined) this.refused.push({ token, code });
    });
  }

  #await({ node, definition, key }: Subject, runId: string): void {
    const world = this.#world;
    const status = world.chance(0.4) ? world.pick(statusesOf(graphs[definition.name]!)) : undefined;
    this.#track(node, "await", async () => {
      const common = { verb: "await", runId, status } as const;
      try {
        const options = { runId, ...(status !== undefined && { status }) };
        const run = await node.engine.await(definition, key, options);
        return { ...common, state: run.runState, met: true };
      } catch (error) {
        if (!(error instanceof RunEndedError)) throw error;
        return { ...common, state: this.#shadow.run(runId)!.state, met: false };
      }
    });
  }

  #track(node: Node, verb: string, ask: () => Promise<Told>, refused?: (code: unknown) => void): void {
    const { host } = node;
    const world = this.#world;
    this.open++;
    let isOpen = true;
    const close = () => {
      if (isOpen) this.open--;
      isOpen = false;
    };
    host.onCrash(close);
    world.log(`${host.name} is asked to ${verb}`);
    ask().then((told) => {
      close();
      world.log(`${host.name} is told of ${verb} of run ${short(told.runId)}`);
      if (!this.#shadow.run(told.runId)) {
        world.violate("I6", `${verb} of run ${told.runId} was acknowledged before it was stored`);
      }
      this.told.push(told);
    }).catch((error) => {
      close();
      world.log(`${host.name} is refused ${verb}: ${error.code ?? error}`);
      refused?.(error.code);
    });
  }
}
