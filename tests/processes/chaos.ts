/**
 * What is done to the fleet, and when: drawn from a seed. The seed fixes the plan, not the moment each process is at
 * when it is hit; that is what real processes are for.
 *
 * @module
 */
import { seededRandom } from "../../core/ports/random.ts";
import type { Open } from "./clients.ts";
import type { Fleet, Member, Role } from "./fleet.ts";
import type { Ledger, Line } from "./ledger.ts";
import type { LedgerReader } from "./ledger_reader.ts";
import { ServerChaos } from "./server_chaos.ts";
import type { SqldServer } from "../sqld/server.ts";
import { sleep } from "./trail.ts";

/** How rough it is: how long from one deed to the next, in milliseconds, and how likely each deed is. */
export interface Regime {
  readonly pause: readonly [low: number, high: number];
  /** That a process that is missing is started, if any other is awake. */
  readonly start: number;
  /** That a worker that starts is killed while it does, or soon after. */
  readonly killStarting: number;
  /** How many effects there must be between two deeds: else there would be nothing left to break. */
  readonly effects: number;
  /** Of what is done at each turn; the rest is peace. */
  readonly deeds: Readonly<Record<Deed, number>>;
}

type Deed = "kill" | "freeze" | "leave" | "kill client" | "kill receiver" | "server";

/** Kills, stops, zombies, and time to work in between. */
export const mixed: Regime = {
  pause: [100, 700],
  start: 0.5,
  killStarting: 0.1,
  effects: 0,
  deeds: { kill: 0.25, freeze: 0.2, leave: 0.15, "kill client": 0.12, "kill receiver": 0.06, server: 0.08 },
};

/** As many kills as leave any time to work. */
export const storm: Regime = {
  pause: [150, 550],
  start: 0.9,
  killStarting: 0.15,
  effects: 15,
  deeds: { kill: 0.58, freeze: 0.06, leave: 0.06, "kill client": 0.12, "kill receiver": 0.04, server: 0.12 },
};

/** Whom it is done to. */
export interface Crew {
  readonly workers: number;
  readonly clients: number;
  readonly receivers: number;
  /** What a client is told, by how many there were before it. */
  clientOptions(index: number, again: readonly Open[]): Readonly<Record<string, unknown>>;
}

/** Longest that effects are waited for: also a fleet that has none is harmed. */
const effectsMsMax = 4_000;
/** Longest that a line is waited for which a process is to be killed after, and then any other of its lines. */
const huntMsMax = 300;
/** How long after such a line: a commit takes this long. */
const afterLineMsMax = 6;
/** How long a worker takes to start, and what it does at first. */
const startMsMax = 250;
/** How long a worker takes to leave. */
const leaveMsMax = 60;

/** Does harm for a while. */
export class Chaos {
  /** What was done how often, but for kills, which the fleet counts. */
  readonly done = new Map<string, number>();
  readonly #fleet: Fleet;
  readonly #reader: LedgerReader;
  readonly #regime: Regime;
  readonly #crew: Crew;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #under = new Set<Promise<unknown>>();
  readonly #server: ServerChaos | undefined;
  readonly #termMs: number;
  /** Clients that have died and whose questions nobody has taken over, and what each client has taken over itself. */
  readonly #dead: Member[] = [];
  readonly #takenOver = new Map<string, readonly Open[]>();
  #clients = 0;

  /**
   * @param seed Decides what is done and when.
   * @param about `fleet` and `crew`: whom it is done to. `server`: the store's server, if it has one. `reader`: where it
   * sees what they are at.
   */
  constructor(seed: number, about: {
    readonly fleet: Fleet;
    readonly crew: Crew;
    readonly regime: Regime;
    readonly ledger: Ledger;
    readonly reader: LedgerReader;
    readonly server: SqldServer | undefined;
    readonly termMs: number;
  }) {
    this.#random = seededRandom(seed * 2_654_435_761 + 1);
    this.#fleet = about.fleet;
    this.#crew = about.crew;
    this.#regime = about.regime;
    this.#reader = about.reader;
    this.#termMs = about.termMs;
    this.#server = about.server && new ServerChaos(about.server, about.ledger, this.#random);
  }

  /** Every kill that counts, by what was killed and what it was at. */
  get kills(): ReadonlyMap<string, number> {
    return new Map([...this.#fleet.kills, ...this.#server?.kills ?? []]);
  }

  /** Kills of workers and of the server. */
  get killed(): number {
    let sum = 0;
    for (const [kind, times] of this.kills) if (/^(worker|server) /.test(kind)) sum += times;
    return sum;
  }

  /** Starts all that are to be there. */
  begin(): void {
    for (const [role, count] of this.#wanted) for (let n = 0; n < count; n++) this.#start(role);
  }

  /** Does harm for so long, or until so many processes were killed, then makes all good again. */
  async run(ms: number, killsMax = Infinity): Promise<void> {
    const until = performance.now() + ms;
    const { pause: [low, high] } = this.#regime;
    while (performance.now() < until && this.killed < killsMax) {
      await this.#peace(this.#between(low, high));
      this.#refill();
      this.#harm();
    }
    await this.end();
  }

  /** Lets everything go on that was stopped, and brings the server back. */
  async end(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
    for (const role of ["worker", "client", "receiver"] as const) {
      for (const member of this.#fleet.members(role)) if (member.frozen) this.#fleet.thaw(member);
    }
  }

  /** What dead clients were to ask and have no answer to, if nobody has taken it over: only what may be asked again. */
  takeOver(): Open[] {
    const dead = new Set(this.#dead.splice(0).map(({ name }) => name));
    const open = new Map<string, Open>();
    for (const name of dead) {
      for (const each of this.#takenOver.get(name) ?? []) open.set(`${each.verb} ${each.token}`, each);
    }
    const asked = new Map<string, Open>();
    if (dead.size > 0) {
      for (const line of this.#reader.read()) {
        if (!dead.has(line.by)) continue;
        if (line.what === "asked" && line.isRepeatable) {
          asked.set(line.id, line);
          open.set(`${line.verb} ${line.token}`, line);
        }
        if (line.what !== "told" && line.what !== "refused") continue;
        const question = asked.get(line.id);
        if (question) open.delete(`${question.verb} ${question.token}`);
      }
    }
    return [...open.values()].map(({ verb, definition, key, runId, token, wish }) => ({
      ...{ verb, definition, key },
      ...(runId !== undefined && { runId }),
      ...(token !== undefined && { token }),
      ...(wish !== undefined && { wish }),
    }));
  }

  /** Lets some time go by, and something happen. */
  async #peace(ms: number): Promise<void> {
    const isEffect = (line: Line) => line.what === "effect" && line.lane !== "callback";
    let seen = this.#reader.read().length;
    let effects = 0;
    await sleep(ms);
    for (const until = performance.now() + effectsMsMax; performance.now() < until; await sleep(20)) {
      const lines = this.#reader.read();
      for (; seen < lines.length; seen++) if (isEffect(lines[seen]!)) effects++;
      if (effects >= this.#regime.effects) return;
      this.#refill();
    }
  }

  get #wanted(): readonly (readonly [Role, number])[] {
    const { workers, clients, receivers } = this.#crew;
    return [["worker", workers], ["client", clients], ["receiver", receivers]];
  }

  /** Fewer than wished is the rule, none at all the exception. */
  #refill(): void {
    for (const [role, count] of this.#wanted) {
      const isNone = this.#fleet.awake(role).length === 0;
      if (this.#fleet.members(role).length >= count) continue;
      if (this.#chance(isNone ? Math.max(0.8, this.#regime.start) : this.#regime.start)) this.#start(role);
    }
  }

  #start(role: Role): void {
    this.#count(`start ${role}`);
    const again = role === "client" ? this.takeOver() : [];
    const more = role === "client" ? this.#crew.clientOptions(this.#clients++, again) : {};
    const member = this.#fleet.start(role, more);
    this.#takenOver.set(member.name, again);
    if (role === "client") void member.ended.then(() => this.#dead.push(member));
    if (role === "worker" && this.#chance(this.#regime.killStarting)) {
      const ms = this.#between(0, startMsMax);
      this.#do(sleep(ms).then(() => this.#kill(member, member.isUp ? "just started" : "starting")));
    }
  }

  #harm(): void {
    let draw = this.#random.float();
    for (const [deed, chance] of Object.entries(this.#regime.deeds) as [Deed, number][]) {
      if (draw < chance) return this.#commit(deed);
      draw -= chance;
    }
  }

  #commit(deed: Deed): void {
    if (deed === "server") {
      if (this.#server?.isWell) this.#do(this.#server.harm(() => this.#line(() => true), this.#count));
      return;
    }
    const role = deed === "kill client" ? "client" : deed === "kill receiver" ? "receiver" : "worker";
    const awake = this.#fleet.awake(role).filter((each) => each.isUp);
    const victim = awake[Math.floor(this.#random.float() * awake.length)];
    if (!victim) return;
    if (deed === "freeze") return this.#freeze(victim);
    if (deed === "leave") return this.#leave(victim);
    this.#do(this.#hunt(victim));
  }

  /** Kills it right after it has written something, when commits are under way; or at any moment. */
  async #hunt(victim: Member): Promise<void> {
    const ms = this.#between(0, afterLineMsMax);
    const waits = this.#chance(0.8);
    const wish = this.#pick(prey[victim.role]);
    const isOwn: Fits = (line) => line.by === victim.name && line.what !== "event";
    const line = waits
      ? await this.#line((each) => isOwn(each) && wish(each)) ?? await this.#line(isOwn)
      : undefined;
    if (line) await sleep(ms);
    await this.#kill(victim, line ? `after ${nameOf(line)}` : "at any moment");
  }

  async #kill(victim: Member, at: string): Promise<void> {
    await this.#fleet.kill(victim, at);
  }

  /** Every other one is killed while it leaves. */
  #leave(victim: Member): void {
    this.#count("leave");
    const [dies, ms] = [this.#chance(0.5), this.#between(0, leaveMsMax)];
    this.#do(this.#fleet.leave(victim));
    if (dies) this.#do(sleep(ms).then(() => this.#kill(victim, "leaving")));
  }

  /** Mostly for longer than a term, so that it comes back as a zombie; some never come back. */
  #freeze(victim: Member): void {
    this.#count("freeze");
    const ms = this.#between(0.3, 2.5) * this.#termMs;
    const dies = this.#chance(0.2);
    this.#fleet.freeze(victim);
    this.#do(sleep(ms).then(() => dies ? this.#kill(victim, "frozen") : this.#fleet.thaw(victim)));
  }

  /** The next line that fits, if it comes soon. */
  async #line(fits: (line: Line) => boolean): Promise<Line | undefined> {
    let seen = this.#reader.read().length;
    for (const until = performance.now() + huntMsMax; performance.now() < until; await sleep(1)) {
      const lines = this.#reader.read();
      for (; seen < lines.length; seen++) if (fits(lines[seen]!)) return lines[seen];
    }
    return undefined;
  }

  #do(deed: Promise<unknown>): void {
    const tracked = deed.finally(() => this.#under.delete(tracked));
    this.#under.add(tracked);
  }

  readonly #count = (name: string): void => {
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
  };

  #between(low: number, high: number): number {
    return low + this.#random.float() * (high - low);
  }

  #chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random.float() * items.length)]!;
  }
}

type Fits = (line: Line) => boolean;

/** What a process of each role is waited for to write, before it is killed. */
const prey: Readonly<Record<Role, readonly Fits[]>> = {
  worker: [
    (line) => line.what === "effect",
    (line) => line.what === "effect" && line.lane === "timer",
    (line) => line.what === "hook",
    (line) => line.what === "handled",
    (line) => line.what === "asked",
    (line) => line.what === "got",
    () => true,
  ],
  client: [
    (line) => line.what === "asked",
    (line) => line.what === "asked" && line.verb === "callback",
    (line) => line.what === "effect",
  ],
  receiver: [() => true],
};

function nameOf(line: Line): string {
  switch (line.what) {
    case "effect":
    case "began":
      return `${line.what} of a ${line.lane}`;
    case "hook":
      return `hook ${line.phase}`;
    case "got":
      return line.via === "relay" ? "relay" : "got";
    case "asked":
      return `asked to ${line.verb}`;
    default:
      return line.what;
  }
}
