/**
 * A scene of several processes on one file or server.
 *
 * @module
 */
import type { Version } from "../../core/store/store.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { type Fate, type SqldProxy, startProxy } from "../sqld/proxy.ts";
import { type SqldServer, startSqld } from "../sqld/server.ts";
import type { History, Operation } from "./history.ts";
import { type FarKind, type FarKindName, kinds } from "./kinds.ts";
import { type Offset, readRecord, type RecordLine } from "./recorder.ts";
import { fieldOf, floorOf, type RoundPlan, type Scene } from "./scene.ts";
import type { WorkerOptions } from "./worker.ts";
import { WorkerProcess } from "./worker_process.ts";

/** How to begin. */
export interface AwayOptions {
  readonly processes: number;
  /** The name of a rule that their stores break. */
  readonly plant?: string;
}

/** Where the store is, and how it is reached. */
interface Place {
  readonly folder: string;
  readonly server: SqldServer | undefined;
  /** A way to the server on which requests get lost at times. */
  readonly proxy: SqldProxy | undefined;
  /** Every worker takes all of these ways. */
  readonly urls: readonly string[];
}

/** Begins a scene with an empty store. */
export async function sceneAway(kind: FarKindName, options: AwayOptions): Promise<Scene> {
  return new AwayScene(kind, await placeFor(kinds[kind].home), options);
}

async function placeFor(home: FarKind["home"]): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-linear-" });
  if (home === "file") {
    const url = `file:${folder}/pawl.db`;
    return { folder, server: undefined, proxy: undefined, urls: [url, url] };
  }
  const server = await startSqld({ folder });
  const proxy = startProxy(server.port);
  return { folder, server, proxy, urls: [server.url(home), proxy.url(home)] };
}

/** How long a round at a server may take: ten times what it does on a quiet machine. */
const patienceMs = 10_000;

/** Part of the requests through the proxy that get lost when some do. */
const lossPart = 0.06;
/** A request that comes late does so within this. */
const lateMsMax = 80;

class AwayScene implements Scene {
  revivals = 0;
  readonly #place: Place;
  readonly #options: WorkerOptions;
  readonly #workers: WorkerProcess[];
  readonly #shards: number;
  #floor: readonly Version[] = [];
  #restarting: Promise<void> = Promise.resolve();

  constructor(kind: FarKindName, place: Place, { processes, plant }: AwayOptions) {
    this.#place = place;
    this.#options = { kind, urls: place.urls, ...(plant !== undefined && { plant }) };
    this.#workers = Array.from({ length: processes }, () => new WorkerProcess(this.#options));
    const store = kinds[kind].open(place.urls[0]!);
    this.#shards = store.shards;
    // It was never used, so there is nothing to wait for.
    void store.close();
  }

  async round(plan: RoundPlan): Promise<History> {
    const { outcomes, home } = kinds[this.#options.kind];
    let death: number | undefined;
    let mishap = Promise.resolve();
    const strike = async () => {
      if (plan.mishap === "the server is killed") return await this.#restart();
      await this.#workers[0]!.kill();
      // A file is written by who has it open, and by nobody else; a server may have a request of the dead yet to do.
      death = home === "file" ? performance.now() : Infinity;
    };
    const unwatch = this.#watch();
    let offsets: readonly Offset[];
    try {
      offsets = await Promise.all(this.#workers.map((worker) => worker.offset()));
      const deliver = this.#lose(plan);
      await Promise.all(
        this.#workers.map((worker, index) =>
          worker.round(this.#orderOf(plan, index), () => mishap = strike())
        ),
      );
      await deliver();
    } finally {
      unwatch();
      await mishap;
      await this.#restarting;
    }
    const records = offsets.map((offset, index) =>
      this.#read(plan, index, offset, index === 0 ? death : undefined)
    );
    if (death !== undefined) {
      await this.#workers[0]!.close();
      this.#workers[0] = new WorkerProcess(this.#options);
    }
    const history: History = { outcomes, floor: this.#floor, operations: records.flat() };
    this.#floor = floorOf(history, this.#shards);
    return history;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await this.#place.proxy?.close();
    await this.#place.server?.stop();
    await Deno.remove(this.#place.folder, { recursive: true });
  }

  /**
   * Kills and restarts a server that hangs. `sqld` 0.24 has been seen to give its write lock to a connection that was
   * gone, when several wrote during a checkpoint; from then on no write to it ever ends.
   *
   * @returns Ends that.
   */
  #watch(): () => void {
    if (!this.#place.server) return () => {};
    const timer = setInterval(() => {
      this.revivals++;
      void this.#restart();
    }, patienceMs);
    return () => clearInterval(timer);
  }

  /** One restart after the other. */
  #restart(): Promise<void> {
    return this.#restarting = this.#restarting.then(() => this.#place.server!.restart());
  }

  /**
   * Lets some requests through the proxy get lost.
   *
   * @returns Ends that, and lets what is late arrive.
   */
  #lose({ mishap, seed }: RoundPlan): () => Promise<void> {
    const { proxy } = this.#place;
    if (!proxy) return () => Promise.resolve();
    const random = seededRandom(seed);
    const late = new Set<ReturnType<typeof setTimeout>>();
    // A request whose way has ended meanwhile is lost for good.
    const deliver = () => proxy.deliver().catch(() => []);
    const fates: readonly Fate[] = ["lose request", "lose reply", "late"];
    if (mishap === "requests get lost") {
      proxy.decide = () => {
        const fate = fates[Math.floor(random.float() / lossPart * fates.length)] ?? "pass";
        if (fate === "late") late.add(setTimeout(deliver, random.float() * lateMsMax));
        return fate;
      };
    }
    return async () => {
      proxy.decide = () => "pass";
      for (const timer of late) clearTimeout(timer);
      await deliver();
      proxy.seen.splice(0);
    };
  }

  #orderOf(plan: RoundPlan, index: number) {
    const clients = Array.from({ length: plan.clients }, (_, client) => ({
      name: `p${index}c${client}`,
      seed: plan.seed * 8_191 + index * 64 + client,
    }));
    const all = plan.operations * plan.clients;
    const isStruck = plan.mishap?.endsWith("is killed");
    // Somewhere in the middle third.
    const halfwayAt = index === 0 && isStruck ? Math.floor(all * (1 + (plan.seed * 7 % 10) / 10) / 3) : null;
    const field = fieldOf(plan, this.#shards);
    return {
      order: "round",
      clients,
      field,
      operations: plan.operations,
      path: this.#path(plan, index),
      halfwayAt,
    } as const;
  }

  #path(plan: RoundPlan, index: number): string {
    return `${this.#place.folder}/${plan.name}.${index}.ndjson`;
  }

  #read(plan: RoundPlan, index: number, offset: Offset, died: number | undefined): Operation[] {
    const path = this.#path(plan, index);
    const text = Deno.readTextFileSync(path);
    // Who is killed may leave a line that is not whole: what it was about to ask was not asked yet.
    const lines = text.slice(0, text.lastIndexOf("\n")).split("\n").filter((line) => line !== "");
    Deno.removeSync(path);
    return readRecord(lines.map((line) => JSON.parse(line) as RecordLine), {
      offset,
      ...(died !== undefined && died < Infinity && { until: died }),
    });
  }
}
