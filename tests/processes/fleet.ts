/**
 * The processes: started, killed, stopped where they stand, let go on, and told to leave.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Ledger } from "./ledger.ts";
import type { MemberOptions } from "./member.ts";
import type { Place } from "./place.ts";

/** What a process is there for. */
export type Role = "worker" | "client" | "receiver";

const pathOf = (role: Role) => fileURLToPath(new URL(`./${role}.ts`, import.meta.url));
const configPath = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** How long an engine's ownership outlives its last sign of life. Short, so that take-overs come often. */
export const termMs = 1_500;
/** How often it looks for what others wrote. */
export const pollMs = 150;

/** One process. */
export interface Member {
  readonly name: string;
  readonly role: Role;
  readonly child: Deno.ChildProcess;
  /** Stopped where it stands. */
  frozen: boolean;
  /** Told to leave. */
  leaving: boolean;
  /** It has said that it has started. */
  isUp: boolean;
  /** What it was at when it was killed, if it is to be counted. */
  killedAt: string | undefined;
  /** Resolves when it is up, or has ended. */
  readonly started: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Starts and ends processes, and writes into the ledger what it did to them. */
export class Fleet {
  readonly #place: Place;
  readonly #ledger: Ledger;
  readonly #prefix: string;
  readonly #termMs: number;
  readonly #all = new Set<Member>();
  #started = 0;
  /** Processes that ended with an error of their own. */
  readonly failed: string[] = [];
  /** Processes that were killed, by what they were at: only those that the signal has ended. */
  readonly kills = new Map<string, number>();

  /**
   * @param place Where it lives.
   * @param ledger Where it is recorded.
   * @param prefix Begins the names of its processes, which are unique within the ledger.
   * @param term How long ownerships outlive their engines.
   */
  constructor(place: Place, ledger: Ledger, prefix = "", term = termMs) {
    this.#place = place;
    this.#ledger = ledger;
    this.#prefix = prefix;
    this.#termMs = term;
  }

  /** Every process of a role that is there, frozen ones and leaving ones included. */
  members(role: Role): readonly Member[] {
    return [...this.#all].filter((each) => each.role === role);
  }

  /** The workers that are there. */
  get workers(): readonly Member[] {
    return this.members("worker");
  }

  /** Those of a role that go about it. */
  awake(role: Role = "worker"): readonly Member[] {
    return this.members(role).filter((each) => !each.frozen && !each.leaving && each.killedAt === undefined);
  }

  /**
   * Starts a process; it is up when `started` resolves.
   *
   * @param role What it is there for.
   * @param more What it is told beside what all are told.
   * @returns It.
   */
  start(role: Role = "worker", more: Readonly<Record<string, unknown>> = {}): Member {
    const name = `${this.#prefix}${role[0]}${++this.#started}`;
    const { url, shards, ledger, folder } = this.#place;
    const options: MemberOptions = { name, url, shards, ledger, termMs: this.#termMs, pollMs };
    this.#log("start", name);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--config",
        configPath,
        pathOf(role),
        JSON.stringify({ ...options, ...more }),
      ],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const ups = Promise.withResolvers<void>();
    const up = () => {
      member.isUp = true;
      ups.resolve();
    };
    const out = keep(child.stdout, `${folder}/${name}.log`, up);
    const err = keep(child.stderr, `${folder}/${name}.err`);
    const ended = Promise.all([child.status, out, err]).then(([status]) => {
      ups.resolve();
      child.stdin.close().catch(() => {});
      this.#buried(member, status);
    });
    const [started, killedAt] = [ups.promise, undefined];
    const member: Member = {
      name,
      role,
      child,
      frozen: false,
      leaving: false,
      isUp: false,
      killedAt,
      started,
      ended,
    };
    this.#all.add(member);
    return member;
  }

  /**
   * Ends it at whatever instruction it is. Only the first one who does so is counted, and only if the process has not
   * ended before the signal reached it.
   *
   * @param member Whom.
   * @param at What it is at, for the count; absent: it is not counted.
   */
  async kill(member: Member, at?: string): Promise<void> {
    member.killedAt ??= at;
    this.#signal("kill", member, "SIGKILL", at);
    await member.ended;
  }

  /** Stops it where it stands: it neither works nor knows. */
  freeze(member: Member): void {
    member.frozen = true;
    this.#signal("freeze", member, "SIGSTOP");
  }

  /** Lets it go on. */
  thaw(member: Member): void {
    member.frozen = false;
    this.#signal("thaw", member, "SIGCONT");
  }

  /** Tells it to stop in order. Resolves when it has ended. */
  async leave(member: Member): Promise<void> {
    member.leaving = true;
    this.#signal("leave", member, "SIGTERM");
    await member.ended;
  }

  /** Ends all, however they are. */
  async killAll(): Promise<void> {
    await Promise.all([...this.#all].map((member) => this.kill(member)));
  }

  #buried(member: Member, status: Deno.CommandStatus): void {
    const { name, role, killedAt } = member;
    this.#all.delete(member);
    const wasKilled = status.signal === "SIGKILL";
    if (wasKilled && killedAt !== undefined) {
      const kind = `${role} ${killedAt}`;
      this.kills.set(kind, (this.kills.get(kind) ?? 0) + 1);
    }
    // Told to leave before it listens to signals, it just ends.
    const isWished = wasKilled || (member.leaving && status.signal === "SIGTERM");
    if (status.code !== 0 && !isWished) {
      const how = status.signal ?? status.code;
      this.failed.push(`${name} ended with ${how}; see ${this.#place.folder}/${name}.err`);
    }
    this.#log("ended", name, `${status.signal ?? status.code}`);
  }

  #signal(name: string, member: Member, signal: Deno.Signal, about?: string): void {
    // Written first: what the signal brings about comes later in the ledger.
    this.#log(name, member.name, about);
    try {
      member.child.kill(signal);
    } catch { /* It has just ended by itself. */ }
  }

  #log(name: string, to: string, about?: string): void {
    this.#ledger.write({ what: "event", name, to, ...(about !== undefined && { about }) });
  }
}

/** Copies what a process prints into a file. */
async function keep(from: ReadableStream<Uint8Array>, path: string, onFirst?: () => void): Promise<void> {
  using file = Deno.openSync(path, { create: true, append: true });
  for await (const piece of from) {
    file.writeSync(piece);
    onFirst?.();
  }
}
