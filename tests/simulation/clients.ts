/**
 * What the clients of one world ask for, and what they are told.
 *
 * @module
 */
import { RunEndedError } from "../../core/errors.ts";
import type { Machine } from "../../core/machine/machine.ts";
import { isFinished, type RunRecord, type RunState } from "../../core/parts/run_record.ts";
import type { Fleet, Node } from "./fleet.ts";
import { graphs, statusesOf } from "./graphs.ts";
import type { Mark, Trail } from "./machines.ts";
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
    | { readonly verb: "pause" | "resume" | "cancel" | "deleteData"; readonly version: number }
    | { readonly verb: "callback"; readonly mark: string; readonly applied: boolean }
    | {
      readonly verb: "await";
      readonly status: string | undefined;
      readonly state: RunState;
      readonly met: boolean;
    }
  );

/** A trigger or callback that a client was told has failed; its token was used for no other. */
export interface Refused {
  readonly verb: "trigger" | "callback";
  readonly token: string;
  readonly code: unknown;
}

/** The engine's verb without the types that the graphs, being data, cannot give. */
type CallBack = {
  callback(
    definition: Machine<Trail>,
    key: string,
    status: string,
    payload: Mark,
    options: object,
  ): Promise<{ readonly runId: string; readonly applied: boolean }>;
};

function machineOf(node: Node, definition: string): Machine<Trail> {
  return node.machines.find(({ name }) => name === definition)!;
}

type Subject = { readonly node: Node; readonly definition: Machine<Trail>; readonly key: string };

type Operation = "pause" | "resume" | "cancel" | "deleteData";

const verbs = [
  ...["trigger", "trigger", "trigger", "trigger", "trigger"] as const,
  ...["callback", "callback", "callback", "callback"] as const,
  ...["pause", "resume", "cancel", "deleteData", "deleteData"] as const,
];

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
    const verb = world.pick(verbs);
    const name = verb === "callback" || world.chance(0.3) ? "mail" : world.pick(Object.keys(graphs));
    const subject = { node, definition: machineOf(node, name), key: world.pick(["k1", "k2", "k3"]) };
    if (verb === "trigger") return this.#trigger(subject);
    if (verb === "callback") return this.#callBack(subject);
    if (verb === "deleteData") return this.#deleteData(subject);
    this.#operate(subject, verb);
    // Its code may still run then.
    if (verb === "cancel" && world.chance(0.7)) {
      node.host.later(world.between(10, 400), () => this.#operate(subject, "deleteData"));
    }
    // What is paused may stay so for long; some clients hold the door.
    if (verb === "pause" && world.chance(0.5)) {
      node.host.later(world.between(10, 600), () => this.#operate(subject, "resume"));
    }
  }

  /**
   * What a step's `skip` has left alone is taken up by a pause and its automatic end, what waits for a callback by one,
   * and parked hooks are retried.
   */
  takeCare(): void {
    const node = this.#fleet.alive[0];
    if (!node) return;
    for (const run of this.#shadow.runs()) {
      if (isFinished(run.state) || run.due !== undefined) continue;
      const subject = { node, definition: machineOf(node, run.definition), key: run.key };
      if (graphs[run.definition]![run.status]!.step) this.#operate(subject, "pause");
      else this.#callBack(subject, run);
    }
    this.#retryHooks(node);
  }

  #operate({ node, definition, key }: Subject, verb: Operation, runId?: string): void {
    this.#track(node, verb, async () => {
      const run = await node.engine[verb](definition, key, runId === undefined ? {} : { runId });
      return { verb, runId: run.runId, version: run.version };
    });
  }

  /** Of the latest run of a key, which may go on, or of one that has ended. */
  #deleteData(subject: Subject): void {
    const world = this.#world;
    const ended = this.#shadow.runs().filter((run) =>
      run.definition === subject.definition.name && isFinished(run.state)
    );
    const run = ended.length > 0 && world.chance(0.8) ? world.pick(ended) : undefined;
    this.#operate({ ...subject, key: run?.key ?? subject.key }, "deleteData", run?.id);
    // Those of which all is gone but the end.
    if (run && world.chance(0.2)) {
      subject.node.host.later(
        world.between(0, 5_000),
        () => this.#operate({ ...subject, key: run.key }, "deleteData", run.id),
      );
    }
  }

  #retryHooks({ engine: { admin } }: Node): void {
    admin.parked().then(({ items }) => Promise.all(items.map(({ id }) => admin.retry(id)))).catch(() => {});
  }

  /** The outside world answers, now and then twice at once, by two machines, or a run that waits for no answer. */
  #callBack(subject: Subject, run = this.#latest(subject)): void {
    const world = this.#world;
    const { definition: { name } } = subject;
    const open = Object.keys(graphs[name]!).filter((status) => graphs[name]![status]!.callback);
    const status = run && open.includes(run.status) && world.chance(0.8) ? run.status : world.pick(open);
    const idempotencyKey = world.chance(0.5) ? world.pick(["j1", "j2", "j3"]) : undefined;
    const mark = idempotencyKey ? `call/${idempotencyKey}/${status}` : `call${this.#calls++}`;
    const asked = { status, mark, idempotencyKey, runId: world.chance(0.5) ? run?.id : undefined };
    this.#call(subject, asked);
    if (world.chance(0.3) && !world.calm) {
      const node = this.#somebody(subject);
      node.host.later(
        world.between(0, 500),
        () => this.#callBack({ ...subject, node, definition: machineOf(node, name) }),
      );
    }
    if (idempotencyKey === undefined || !world.chance(0.5)) return;
    const node = this.#somebody(subject);
    const again = () => this.#call({ ...subject, node, definition: machineOf(node, name) }, asked);
    if (world.chance(0.5)) again();
    else node.host.later(world.between(0, 500), again);
  }

  /** Maybe somebody else. */
  #somebody({ node }: Subject): Node {
    const { alive } = this.#fleet;
    return alive.length === 0 ? node : this.#world.pick(alive);
  }

  #call(
    { node, definition, key }: Subject,
    { status, mark, idempotencyKey, runId }: {
      readonly status: string;
      readonly mark: string;
      readonly idempotencyKey: string | undefined;
      readonly runId: string | undefined;
    },
  ): void {
    const options = { ...(idempotencyKey && { idempotencyKey }), ...(runId && { runId }) };
    this.#track(node, `callback ${mark}`, async () => {
      const payload: Mark = { mark };
      const told = await (node.engine as CallBack).callback(definition, key, status, payload, options);
      return { verb: "callback", runId: told.runId, mark, applied: told.applied };
    }, (code) => {
      // Nobody loses to others so often in a world this small.
      if (code === "CONFLICT") this.#world.violate("I9", `${mark} of ${definition.name} ${key} gave up`);
      if (idempotencyKey === undefined) this.refused.push({ verb: "callback", token: mark, code });
    });
  }

  #latest({ definition, key }: Subject): RunRecord | undefined {
    const runs = this.#shadow.runs().filter((run) => run.definition === definition.name && run.key === key);
    return runs.find((run) => !isFinished(run.state)) ?? runs.at(-1);
  }

  #trigger(subject: Subject): void {
    const { node, definition, key } = subject;
    const world = this.#world;
    const idempotencyKey = world.chance(0.4) ? world.pick(["i1", "i2"]) : undefined;
    const token = idempotencyKey ?? `t${this.#calls++}`;
    const secret = `secret-${definition.name}-${key}-${token}.`;
    const data = { token, secret, landed: [] };
    const options = { data, ...(idempotencyKey !== undefined && { idempotencyKey }) };
    const scope = idempotencyKey && `${definition.name} ${key} ${idempotencyKey}`;
    const awaits = world.chance(0.5);
    this.#track(node, "trigger", async () => {
      const { runId, created } = await node.engine.trigger(definition, key, options);
      if (awaits) this.#await(subject, runId);
      return { verb: "trigger", runId, token, created, scope };
    }, (code) => {
      if (scope === undefined) this.refused.push({ verb: "trigger", token, code });
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
        return { ...common, state: this.#shadow.run(runId)?.state ?? "deleted", met: false };
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
      if (!this.#shadow.run(told.runId) && !this.#shadow.checks.disposal.removed.has(told.runId)) {
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
