/**
 * What the clients of one world ask for, and what they are told.
 *
 * @module
 */
import { RunEndedError } from "../../core/errors.ts";
import type { Definition } from "../../core/engine/behaviour.ts";
import { isFinished, type RunRecord, type RunState } from "../../core/parts/run_record.ts";
import type { Told } from "../../core/testing/simulation/asks.ts";
import { Dice } from "../../core/testing/simulation/dice.ts";
import type { Node } from "../../core/testing/simulation/fleet.ts";
import type { Stage } from "../../core/testing/simulation/life.ts";
import { type Program, statusesOf } from "../programs/program.ts";
import type { Mark } from "./machines.ts";
import type { TrailLaws } from "./trail_laws.ts";

interface ToldTrigger extends Told {
  readonly token: string;
  readonly created: boolean;
  /** Equal ones must have got equal runs. */
  readonly scope: string | undefined;
}

interface ToldCallback extends Told {
  readonly mark: string;
  readonly applied: boolean;
}

interface ToldAwait extends Told {
  readonly status: string | undefined;
  readonly state: RunState;
  readonly met: boolean;
  /** The run's version that it was met with. */
  readonly metAt?: number;
}

/** A trigger or callback that a client was told has failed; its token was used for no other. */
interface Refused {
  readonly verb: "trigger" | "callback";
  readonly token: string;
  readonly code: unknown;
}

/** The engine's verb without the types that the graphs, being data, cannot give. */
type CallBack = {
  callback(
    definition: Definition,
    key: string,
    status: string,
    payload: Mark,
    options: object,
  ): Promise<{ readonly runId: string; readonly applied: boolean }>;
};

/** What is asked of whom, with the dice that decide the rest. */
interface Subject {
  readonly dice: Dice;
  readonly node: Node;
  readonly program: Program;
  readonly definition: Definition;
  readonly key: string;
}

type Operation = "pause" | "resume" | "cancel" | "deleteData";

const verbs = [
  ...["trigger", "trigger", "trigger", "trigger", "trigger"] as const,
  ...["callback", "callback", "callback", "callback"] as const,
  ...["pause", "resume", "cancel", "deleteData", "deleteData"] as const,
];

export class Clients {
  readonly #stage: Stage;
  readonly #trails: TrailLaws;
  readonly #programs: readonly Program[];
  readonly #definitions: ReadonlyMap<string, Definition>;
  readonly #triggers: ToldTrigger[] = [];
  readonly #callbacks: ToldCallback[] = [];
  #awaits: ToldAwait[] = [];
  readonly #refused: Refused[] = [];
  #calls = 0;

  constructor(
    stage: Stage,
    trails: TrailLaws,
    programs: readonly Program[],
    definitions: readonly Definition[],
  ) {
    this.#stage = stage;
    this.#trails = trails;
    this.#programs = programs;
    this.#definitions = new Map(definitions.map((each) => [each.name, each]));
  }

  /** Somebody asks for something. */
  ask(dice: Dice): void {
    const { alive } = this.#stage.fleet;
    if (alive.length === 0) return;
    const node = dice.pick(alive);
    const verb = dice.pick(verbs);
    const waiting = this.#programs.filter(({ graph }) => openFor(graph).length > 0);
    const isCall = verb === "callback" || dice.chance(0.3);
    const program = dice.pick(isCall && waiting.length > 0 ? waiting : this.#programs);
    const key = dice.pick(["k1", "k2", "k3"]);
    const subject = { dice, node, program, definition: this.#definitions.get(program.name)!, key };
    if (verb === "trigger" || waiting.length === 0 && verb === "callback") return this.#trigger(subject);
    if (verb === "callback") return this.#callBack(subject);
    if (verb === "deleteData") return this.#deleteData(subject);
    this.#operate(subject, verb);
    // Its code may still run then.
    if (verb === "cancel" && dice.chance(0.7)) {
      node.host.later(dice.between(10, 400), () => this.#operate(subject, "deleteData"));
    }
    // What is paused may stay so for long; some clients hold the door.
    if (verb === "pause" && dice.chance(0.5)) {
      node.host.later(dice.between(10, 600), () => this.#operate(subject, "resume"));
    }
  }

  /**
   * What a step's `skip` has left alone is taken up by a pause and its automatic end, what waits for a callback by one,
   * and parked hooks are retried.
   */
  takeCare(): void {
    const { fleet, shadow, world } = this.#stage;
    const node = fleet.alive[0];
    if (!node) return;
    for (const run of shadow.runs()) {
      if (isFinished(run.state)) continue;
      const program = this.#programs.find(({ name }) => name === run.definition)!;
      const definition = this.#definitions.get(run.definition)!;
      const subject = { dice: new Dice(world.seed()), node, program, definition, key: run.key };
      const place = program.graph[run.status]!;
      if (run.state === "paused") {
        if (run.due === undefined) this.#operate(subject, "resume");
        // Its timers may lead in circles for ever.
      } else if (place.callbacks?.flat().length && run.stepDue === undefined) this.#callBack(subject, run);
      else if (run.due === undefined) this.#operate(subject, place.step ? "pause" : "cancel");
    }
    this.#retryHooks(node);
  }

  #operate({ node, definition, key }: Subject, verb: Operation, runId?: string): void {
    this.#stage.asks.follow(node.host, verb, async () => {
      const run = await node.engine[verb](definition, key, runId === undefined ? {} : { runId });
      return { verb, runId: run.runId, version: run.version };
    });
  }

  /** Of the latest run of a key, which may go on, or of one that has ended. */
  #deleteData(subject: Subject): void {
    const { dice } = subject;
    const ended = this.#stage.shadow.runs().filter((run) =>
      run.definition === subject.definition.name && isFinished(run.state)
    );
    const run = ended.length > 0 && dice.chance(0.8) ? dice.pick(ended) : undefined;
    this.#operate({ ...subject, key: run?.key ?? subject.key }, "deleteData", run?.id);
    // Those of which all is gone but the end.
    if (run && dice.chance(0.2)) {
      subject.node.host.later(
        dice.between(0, 5_000),
        () => this.#operate({ ...subject, key: run.key }, "deleteData", run.id),
      );
    }
  }

  #retryHooks({ engine: { admin } }: Node): void {
    const retryFrom = async (cursor?: string): Promise<void> => {
      const page = await admin.parked(cursor === undefined ? {} : { cursor });
      // Two who take care may come to the same hook.
      await Promise.all(page.items.map(({ id }) => admin.retry(id).catch(() => {})));
      if (page.cursor !== undefined) await retryFrom(page.cursor);
    };
    retryFrom().catch((error) => {
      if (error.code === "INVALID_ARGUMENT") this.#stage.world.violate("hook", String(error));
    });
  }

  /** The outside world answers, now and then twice at once, by two machines, or a run that waits for no answer. */
  #callBack(subject: Subject, run = this.#latest(subject)): void {
    const { dice, program } = subject;
    const { world } = this.#stage;
    const open = openFor(program.graph);
    const status = run && open.includes(run.status) && (world.calm || dice.chance(0.8))
      ? run.status
      : dice.pick(open);
    const idempotencyKey = dice.chance(0.5) && !world.calm ? dice.pick(["j1", "j2", "j3"]) : undefined;
    const mark = idempotencyKey ? `call/${idempotencyKey}/${status}` : `call${this.#calls++}`;
    const asked = { status, mark, idempotencyKey, runId: dice.chance(0.5) ? run?.id : undefined };
    this.#call(subject, asked);
    if (dice.chance(0.3) && !world.calm) {
      const node = this.#somebody(subject);
      node.host.later(dice.between(0, 500), () => this.#callBack({ ...subject, node }));
    }
    if (idempotencyKey === undefined || !dice.chance(0.5)) return;
    const node = this.#somebody(subject);
    const again = () => this.#call({ ...subject, node }, asked);
    if (dice.chance(0.5)) again();
    else node.host.later(dice.between(0, 500), again);
  }

  /** Maybe somebody else. */
  #somebody({ dice, node }: Subject): Node {
    const { alive } = this.#stage.fleet;
    return alive.length === 0 ? node : dice.pick(alive);
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
    const { world, asks } = this.#stage;
    const options = { ...(idempotencyKey && { idempotencyKey }), ...(runId && { runId }) };
    asks.follow(
      node.host,
      `callback ${mark}`,
      async () => {
        const payload: Mark = { mark };
        const told = await (node.engine as CallBack).callback(definition, key, status, payload, options);
        return { verb: "callback", runId: told.runId, mark, applied: told.applied };
      },
      (told) => this.#callbacks.push(told),
      ({ code }) => {
        // Nobody loses to others so often in a world this small.
        world.expect(code !== "CONFLICT", "I9", () => `${mark} of ${definition.name} ${key} gave up`);
        if (idempotencyKey === undefined) this.#refused.push({ verb: "callback", token: mark, code });
      },
    );
  }

  #latest({ definition, key }: Subject): RunRecord | undefined {
    const runs = this.#stage.shadow.runs().filter((run) =>
      run.definition === definition.name && run.key === key
    );
    return runs.find((run) => !isFinished(run.state)) ?? runs.at(-1);
  }

  #trigger(subject: Subject): void {
    const { dice, node, definition, key } = subject;
    const idempotencyKey = dice.chance(0.4) ? dice.pick(["i1", "i2"]) : undefined;
    const token = idempotencyKey ?? `t${this.#calls++}`;
    const secret = `secret-${definition.name}-${key}-${token}.`;
    const data = { token, secret, landed: [] };
    const options = { data, ...(idempotencyKey !== undefined && { idempotencyKey }) };
    const scope = idempotencyKey && `${definition.name} ${key} ${idempotencyKey}`;
    const awaits = dice.chance(0.5);
    this.#stage.asks.follow(
      node.host,
      "trigger",
      async () => {
        const { runId, created } = await node.engine.trigger(definition, key, options);
        if (awaits) this.#await(subject, runId);
        return { verb: "trigger", runId, token, created, scope };
      },
      (told) => this.#triggers.push(told),
      ({ code }) => {
        if (scope === undefined) this.#refused.push({ verb: "trigger", token, code });
      },
    );
  }

  #await({ dice, node, program, definition, key }: Subject, runId: string): void {
    const { asks, shadow } = this.#stage;
    const status = dice.chance(0.4) ? dice.pick(statusesOf(program.graph)) : undefined;
    asks.follow(node.host, "await", async () => {
      const common = { verb: "await", runId, status } as const;
      try {
        const options = { runId, ...(status !== undefined && { status }) };
        const run = await node.engine.await(definition, key, options);
        return { ...common, state: run.runState, met: true, metAt: run.version };
      } catch (error) {
        if (!(error instanceof RunEndedError)) throw error;
        return { ...common, state: shadow.run(runId)?.state ?? "deleted", met: false };
      }
    }, (told) => this.#awaits.push(told));
  }

  /** What was acknowledged has happened, and what was refused has not. */
  checkEnd(): void {
    const { world } = this.#stage;
    this.#checkTold();
    for (const { verb, token, code } of this.#refused) {
      // Every other error says that nothing was written, and nothing ever will be.
      if (code === "OUTCOME_UNKNOWN") continue;
      const runId = verb === "trigger" ? this.#trails.triggeredBy(token) : this.#trails.calledBy(token);
      world.expect(
        runId === undefined,
        "I6",
        () => `${verb} ${token} was refused with ${code}, yet run ${runId} has it`,
      );
    }
    this.#checkIdempotency();
  }

  /**
   * The power was cut, and everything that was acknowledged is still there. Only progress may be lost: a wait for the status
   * of a run that goes on was told of what may be no more.
   */
  checkKept(): void {
    this.#awaits = this.#awaits.filter(({ status, state, met }) =>
      !met || status === undefined || isFinished(state)
    );
    this.#checkTold();
  }

  #checkTold(): void {
    const { world, shadow, laws } = this.#stage;
    for (const { runId, token } of this.#triggers) {
      const found = this.#trails.tokenOf(runId);
      world.expect(
        found === token,
        "I6",
        () => `run ${runId} holds ${found}, but ${token} was acknowledged`,
      );
    }
    for (const told of this.#callbacks) this.#checkCallback(told);
    for (const told of this.#awaits) {
      const run = shadow.run(told.runId);
      // A removal that has begun takes the history first.
      if (run && !laws.disposal.isLeaving(run.id)) this.#checkAwait(run, told);
    }
  }

  /** I6: what a callback was told. With an idempotency key, some other call may have applied it for this one. */
  #checkCallback({ runId, mark, applied }: ToldCallback): void {
    const isThere = this.#trails.isCalled(runId, mark);
    const { world } = this.#stage;
    world.expect(!applied || isThere, "I6", () => `the acknowledged ${mark} is not in run ${runId}`);
    world.expect(
      applied || !isThere || mark.includes("/"),
      "I6",
      () => `${mark} was not to be applied to run ${runId}, and was`,
    );
  }

  #checkAwait(run: RunRecord, { runId, status, met, state, metAt }: ToldAwait): void {
    const { world, asks } = this.#stage;
    const wasThere = status === undefined ||
      asks.rowsOf(run).some((row) => row.to === status || row.from === status);
    const holds = met ? wasThere && (status !== undefined || isFinished(state)) : !wasThere;
    world.expect(
      holds,
      "await",
      () => `await of ${status ?? "the end"} of run ${runId} ended with ${met}, ${state}`,
    );
    if (metAt === undefined || !isFinished(state)) return;
    const row = asks.rowsOf(run).find(({ version }) => version === metAt);
    world.expect(
      row?.runState === state,
      "await",
      () => `await of run ${runId} was told of ${state}, and version ${metAt} is ${row?.runState}`,
    );
  }

  #checkIdempotency(): void {
    const { world, laws } = this.#stage;
    const runs = new Map<string, string>();
    const created = new Set<string>();
    for (const told of this.#triggers) {
      // The answer is kept as long as its run.
      if (told.scope === undefined || laws.disposal.removed.has(told.runId)) continue;
      const { scope, runId } = told;
      const known = runs.get(scope) ?? runId;
      runs.set(scope, known);
      world.expect(
        known === runId,
        "I6",
        () => `idempotency key ${scope} made runs ${known} and ${runId}`,
      );
      const isSecond = told.created && created.has(scope);
      world.expect(!isSecond, "I6", () => `idempotency key ${scope} created twice`);
      if (told.created) created.add(scope);
    }
  }
}

/** The statuses that have a callback. */
function openFor(graph: Program["graph"]): string[] {
  return Object.keys(graph).filter((status) => graph[status]!.callbacks !== undefined);
}
