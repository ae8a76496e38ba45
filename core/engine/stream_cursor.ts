import { ConflictError } from "../errors.ts";
import { cursorText, furthest, type Positions, readCursor } from "../parts/stream_rows.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Version } from "../store/store.ts";
import type { EngineContext } from "./context.ts";

/** Whose cursor it is. */
export interface CursorName {
  readonly topic: string;
  /** The receiver's name. */
  readonly name: string;
  /** The topic's shard. */
  readonly shard: number;
}

/** A `cursor` row, moved by compare-and-set and only forward. */
export class StreamCursor {
  readonly #context: EngineContext;
  readonly #name: CursorName;
  readonly #key: string;
  #version: Version | null;
  #positions: Positions;
  #wanted: Positions;
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    context: EngineContext,
    name: CursorName,
    version: Version | null,
    positions: Positions,
  ) {
    this.#context = context;
    this.#name = name;
    this.#key = keyspace.cursor.key(name.topic, name.name);
    this.#version = version;
    this.#positions = this.#wanted = positions;
  }

  /**
   * Reads a name's cursor, or makes it.
   *
   * @param context The engine.
   * @param name Whose.
   * @param first Finds the place of a new name; what is sent after that is after it.
   * @returns The cursor, which is durable.
   */
  static async open(
    context: EngineContext,
    name: CursorName,
    first: () => Promise<Positions>,
  ): Promise<StreamCursor> {
    const key = keyspace.cursor.key(name.topic, name.name);
    const { reader, committer, clock } = context;
    for (;;) {
      const entry = await reader.get(name.shard, key);
      if (entry) return new StreamCursor(context, name, entry.version, readCursor(entry));
      const positions = await first();
      const batch = new BatchBuilder().check(key, null).put(key, cursorText(positions, clock.now()));
      const result = await committer.commit(name.shard, batch);
      if (result.ok) return new StreamCursor(context, name, result.version, positions);
      // Somebody else has opened the same name just now: theirs counts.
    }
  }

  /** Where the name is. */
  get positions(): Positions {
    return this.#positions;
  }

  /** Moves it on; what is asked for together is written together. */
  moveTo(positions: Positions): Promise<void> {
    this.#wanted = furthest(this.#wanted, positions);
    const moved = this.#turn.then(() => this.#move());
    this.#turn = moved.catch(() => {});
    return moved;
  }

  async #move(): Promise<void> {
    const { reader, committer, clock, limits } = this.#context;
    for (let rebase = 0; rebase <= limits.rebasesMax; rebase++) {
      const next = furthest(this.#positions, this.#wanted);
      if (next === this.#positions) return;
      const batch = new BatchBuilder().check(this.#key, this.#version).put(
        this.#key,
        cursorText(next, clock.now()),
      );
      const result = await committer.commit(this.#name.shard, batch);
      if (result.ok) {
        this.#version = result.version;
        this.#positions = next;
        return;
      }
      // Another receiver of this name was first: the furthest of both counts.
      const entry = await reader.get(this.#name.shard, this.#key);
      this.#version = entry?.version ?? null;
      if (entry) this.#positions = readCursor(entry);
    }
    throw new ConflictError(
      `Cannot ack for "${this.#name.name}" in topic "${this.#name.topic}": ` +
        `other receivers of that name were first ${limits.rebasesMax} times`,
    );
  }
}
