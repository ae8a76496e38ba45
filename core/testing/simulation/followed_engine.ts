import type { Engine } from "../../engine/verbs.ts";
import type { Asks, Told } from "./asks.ts";
import type { Node } from "./fleet.ts";

const followed = ["trigger", "callback", "pause", "resume", "cancel", "deleteData"] as const;

/** A verb whose answer is remembered. */
export type FollowedVerb = typeof followed[number];

/** Verbs whose answer tells the version that they have made. */
const versioned: ReadonlySet<string> = new Set(["pause", "resume", "cancel", "deleteData"]);

type Verb = (...args: readonly unknown[]) => Promise<{ readonly runId: string; readonly version?: number }>;

/** An engine as clients call it: what it acknowledges must be true for ever, and its host may die meanwhile. */
export function followedEngine(asks: Asks, { engine, host }: Node): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const call = (value as Verb).bind(target);
      if (!(followed as readonly unknown[]).includes(name)) {
        return (...args: readonly unknown[]) => cutResult(call(...args) as unknown);
      }
      const verb = name as FollowedVerb;
      return (...args: readonly unknown[]) => {
        const result = call(...args);
        asks.follow(host, verb, () => result.then((answer) => toldOf(verb, answer)));
        return host.cut(result);
      };
    },
  });

  function cutResult(result: unknown): unknown {
    return result instanceof Promise ? host.cut(result) : result;
  }
}

function toldOf(verb: FollowedVerb, { runId, version }: Awaited<ReturnType<Verb>>): Told {
  return { verb, runId, ...(versioned.has(verb) && version !== undefined && { version }) };
}
