import type { Clock } from "../../core/ports/clock.ts";
import type { RoomFigures } from "./persist.ts";

/** What a room is made of. */
export interface RoomOptions {
  /** Bytes that are kept for the runs that go on; 0: none are, and nothing is looked at. */
  readonly reserveBytes: number;
  readonly clock: Clock;
  /** What the browser says. */
  figures(): Promise<RoomFigures | undefined>;
  /** Whether the reserve is in its place. */
  isLaid(): Promise<boolean>;
  /** Puts that many bytes in reserve. Says whether they fitted. */
  lay(bytes: number): Promise<boolean>;
  /** Gives the reserve up. */
  release(): Promise<void>;
  /** The room has become full, has room again, or has other figures. */
  onLook(): void;
}

/** Milliseconds between two looks, and at first while it is full. */
const lookMs = 10_000;
const firstLookMs = 500;

/** No more of a quota than this is kept in reserve. */
const quotaShareMax = 0.1;

/**
 * Whether there is room for new runs. A reserve lies in the database, as what a browser says of its quota may be made up:
 * at the quota it is given up, so that the runs that are there can go on and be deleted, and no new ones are taken until it
 * fits again.
 */
export class Room {
  readonly #options: RoomOptions;
  #isFull = false;
  #figures: RoomFigures | undefined;
  #looking: Promise<void> | undefined;
  #pauseMs = lookMs;
  #lookAt = 0;
  #spent: Promise<boolean> | undefined;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get figures(): RoomFigures | undefined {
    return this.#figures;
  }

  /** Looks again when it is time; nobody waits for it. */
  consider(): void {
    const { reserveBytes, clock } = this.#options;
    if (reserveBytes === 0 || this.#looking || clock.monotonic() < this.#lookAt) return;
    // What went wrong is not tried again at once either.
    this.#looking = this.#look().catch(() => {}).finally(() => {
      this.#looking = undefined;
      this.#lookAt = clock.monotonic() + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, lookMs);
    });
  }

  /** Resolves when no look is under way. */
  async rest(): Promise<void> {
    await this.#looking;
  }

  /**
   * A commit met the quota: the reserve is given up.
   *
   * @returns Whether it is worth another try.
   */
  async spend(): Promise<boolean> {
    if (this.#options.reserveBytes === 0) return false;
    // Commits that meet it together share what was given up.
    this.#spent ??= this.#options.release().then(() => true, () => false);
    this.#turn(true);
    return await this.#spent;
  }

  async #look(): Promise<void> {
    const { reserveBytes, figures, isLaid, lay, onLook } = this.#options;
    const spent = this.#spent;
    this.#figures = await figures();
    const { quotaBytes = Infinity, freeBytes = Infinity } = this.#figures ?? {};
    const reserve = Math.floor(Math.min(reserveBytes, quotaBytes * quotaShareMax));
    const wasLaid = await isLaid();
    // As much again must be free, or the next look would find too little beside the reserve.
    const hasRoom = freeBytes >= (wasLaid ? reserve : 2 * reserve) && (wasLaid || await lay(reserve));
    if (this.#spent !== spent) return;
    if (wasLaid || hasRoom) this.#spent = undefined;
    this.#turn(!hasRoom);
    onLook();
  }

  #turn(isFull: boolean): void {
    if (isFull && !this.#isFull) {
      this.#pauseMs = firstLookMs;
      this.#lookAt = this.#options.clock.monotonic() + firstLookMs;
    }
    this.#isFull = isFull;
  }
}
