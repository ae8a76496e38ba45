/**
 * A process of the fleet that works: its engine runs steps, timers, hooks, connectors and the relay.
 *
 * @module
 */
import { createEngine, type Engine, type EventStreamer, type Logger } from "pawl";
import { consoleLogger } from "../../core/ports/logger.ts";
import { Asking } from "./asking.ts";
import type { Ledger } from "./ledger.ts";
import { type FleetMachine, machinesOf, type Outside } from "./machines.ts";
import { beMember, type MemberOptions, type Tools } from "./member.ts";
import { trailOf } from "./trail.ts";

/** The relay comes back soon, and sends little at a time. */
const relay = { batch: 8, retry: { initial: 50, max: 400 } } as const;

/** What keeps an engine from writing down what it has done. */
const isCause = /^(Lost a shard|Work of a shard failed|Cannot (?!scrub))/;

/** What its engine says goes to the console, and into the ledger where it is a cause of what happens next. */
function loggerOf(ledger: Ledger, to: string): Logger {
  const console = consoleLogger("warn");
  return {
    log(level, message, fields) {
      console.log(level, message, fields);
      if (isCause.test(message)) ledger.write({ what: "event", name: "log", to, about: message });
    },
  };
}

/** The outside world that the relay sends to: it refuses now and then, sometimes after it has taken a part. */
function outsideWorld(ledger: Ledger): EventStreamer {
  return {
    send(topic, events) {
      const isDown = Math.random() < 0.05;
      const taken = isDown ? events.slice(0, Math.floor(Math.random() * events.length)) : events;
      for (const { key, type, headers = {} } of taken) {
        const { recordVersion, runState } = headers;
        const version = Number(recordVersion);
        ledger.write({
          what: "got",
          via: "relay",
          topic: topic,
          runId: key,
          version,
          state: `${runState} at ${type}`,
        });
      }
      return isDown ? Promise.reject(new Error("The outside world is down")) : Promise.resolve();
    },
    receive: () => Promise.reject(new Error("Nobody receives from the outside world")),
  };
}

/** Starts a run from within a step: its `stepId` makes it safe to ask again when the step runs again. */
function followUpOf(
  asking: Asking,
  client: (definition: string) => { readonly engine: Engine; readonly definition: FleetMachine },
): Outside["followUp"] {
  return async (to, run) => {
    const { engine, definition } = client(to);
    const key = `for ${run.runId}`;
    const token = run.stepId;
    const question = { verb: "trigger", definition: to, key, token, wish: "good" } as const;
    await asking.ask({ ...question, isRepeatable: true }, () => {
      return engine.trigger(definition, key, { data: trailOf(token, "good"), idempotencyKey: token });
    });
  };
}

function work({ options: { name, termMs, pollMs }, ledger, store }: Tools<MemberOptions>) {
  const asking = new Asking(ledger, name);
  const followUp = followUpOf(asking, (each) => client(each));
  const machines = machinesOf({ ledger, asking, followUp });
  const engine = createEngine({
    store,
    definitions: machines,
    lease: { term: termMs },
    poll: pollMs,
    streams: { streamer: outsideWorld(ledger), ...relay },
    logger: loggerOf(ledger, name),
  });
  const client = (definition: string) => ({
    engine,
    definition: machines.find((each) => each.name === definition)!,
  });
  return {
    engineId: engine.admin.engineId,
    start: () => engine.start(),
    stop: () => engine.stop({ grace: "2s" }),
  };
}

if (import.meta.main) await beMember<MemberOptions>(work);
