import type { Asked, Draft, Ledger, Told } from "./ledger.ts";

/** A question, before it has a name. */
export type Question = Omit<Draft<Asked>, "what" | "id">;
/** What the ledger is told of an answer. */
export type Answer = Omit<Draft<Told>, "what" | "id">;

/** What an error is known by. */
export const codeOf = (error: unknown) => String((error as { code?: unknown }).code ?? error);

/** Asks the engine for things: each question stands in the ledger before it is asked, each answer when it has come. */
export class Asking {
  readonly #ledger: Ledger;
  readonly #name: string;
  #asked = 0;

  /**
   * @param ledger Where it is recorded.
   * @param name Who asks; unique within the ledger.
   */
  constructor(ledger: Ledger, name: string) {
    this.#ledger = ledger;
    this.#name = name;
  }

  /** A name that no other question has. */
  nextId(): string {
    return `${this.#name}.${++this.#asked}`;
  }

  /**
   * Asks.
   *
   * @param question What is asked for.
   * @param call Asks the engine.
   * @param id The question's name; default: a new one.
   * @returns The answer.
   * @throws What the engine throws.
   */
  async ask<Given extends Answer>(
    question: Question,
    call: () => Promise<Given>,
    id = this.nextId(),
  ): Promise<Given> {
    this.#ledger.write({ what: "asked", id, ...question });
    try {
      const answer = await call();
      this.#ledger.write({ what: "told", id, ...answer });
      return answer;
    } catch (error) {
      this.#ledger.write({ what: "refused", id, code: codeOf(error) });
      throw error;
    }
  }
}
