import type { Chores } from "./chores.ts";
import type { Connectors } from "./connectors.ts";
import type { DueTurns } from "./due_turns.ts";
import { earliest } from "./earliest.ts";
import type { Schedules } from "./schedules.ts";
import type { Version } from "../store/store.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import type { ShardOwner } from "./shard_owner.ts";
import type { Applied } from "./write_change.ts";

/** What an owner does beside its runs: hooks, connectors and schedules, as far as the engine has these features. */
export class SideWork {
  readonly #owner: ShardOwner;
  readonly #chores: Chores | undefined;
  readonly #connectors: Connectors | undefined;
  readonly #schedules: Schedules | undefined;
  readonly #turns: readonly DueTurns[];

  /**
   * @param owner Whose.
   * @param options The owner's.
   */
  constructor(owner: ShardOwner, options: ShardOwnerOptions) {
    this.#owner = owner;
    const { hooks, connectors, schedules } = options.context.features;
    const chores = hooks ?? schedules?.Chores;
    this.#chores = chores && new chores(owner, options);
    this.#schedules = schedules && new schedules.Schedules(owner, options);
    this.#connectors = connectors && new connectors(owner, options);
    this.#turns = [this.#chores, this.#schedules].flatMap((each) => each?.turns ?? []);
  }

  /** Opens the connectors. */
  begin(): void {
    this.#connectors?.begin();
  }

  /** Whether more is being read, or may be about to come. */
  get reading(): boolean {
    return this.#turns.some(({ scanning }) => scanning !== undefined) || this.#connectors?.busy === true;
  }

  /** Resolves when what is being read has been read, and connectors are quiet or have been given an event. */
  async readingDone(): Promise<void> {
    for (const turns of this.#turns) await turns.scanning;
    await this.#connectors?.restOrChange();
  }

  /** When something is to be done next. */
  get nextDue(): number | undefined {
    return earliest(...this.#turns.map(({ nextDue }) => nextDue), this.#connectors?.nextDue);
  }

  /** Reads what is to be done from its start, and looks again at events that were held back. */
  async rescan(): Promise<void> {
    this.#connectors?.wake();
    await Promise.all(this.#turns.map((turns) => turns.rescan()));
  }

  /**
   * The clock was ahead and has been set back.
   *
   * @returns Whether nothing is left that could not be set back.
   */
  async setBack(): Promise<boolean> {
    const areDone = await Promise.all([this.#chores?.setBack(), this.#schedules?.setBack()]);
    return !areDone.includes(false);
  }

  /** Starts what has become due. */
  wake(): void {
    for (const turns of this.#turns) turns.wake();
  }

  /** A schedule was changed, and is due then, if ever. */
  scheduled(id: string, due: number | undefined, version: Version): void {
    this.#schedules?.changed(id, due, version);
  }

  /** A run has just been changed: what follows from that. */
  applied({ chores, unheard }: Applied): void {
    if (chores) this.#chores?.added(chores);
    if (unheard) this.rescan().catch((error) => this.#owner.failed(error));
  }

  /** Nothing more is started, and what runs is told. */
  end(reason: unknown): void {
    this.#chores?.end();
    this.#schedules?.turns.end();
    this.#connectors?.end(reason);
  }
}
