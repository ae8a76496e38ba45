import { PawlError } from "pawl";

/** A piece of a text, and where it stands there. */
export interface Piece {
  readonly text: string;
  readonly at: number;
}

/** A line of iCalendar: `name;param=value:value`. */
export interface Line {
  readonly name: Piece;
  /** By their names in capitals. */
  readonly params: ReadonlyMap<string, Piece>;
  readonly value: Piece;
}

/** The text of a rule. It knows where each piece of it was written, so that what is refused can be shown. */
export class RuleText {
  readonly #text: string;
  readonly #unfolded: string;
  /** For each character that is left of the folds, where it was. */
  readonly #places: readonly number[];

  /** @param text As it was written: lines of iCalendar, folded or not, or one rule by itself. */
  constructor(text: string) {
    this.#text = text;
    const places: number[] = [];
    let at = 0;
    this.#unfolded = text.split(/(\r?\n[ \t])/).map((part, index) => {
      const isFold = index % 2 === 1;
      if (!isFold) { for (let i = 0; i < part.length; i++) places.push(at + i); }
      at += part.length;
      return isFold ? "" : part;
    }).join("");
    this.#places = places;
  }

  /** Its lines; one without a colon is a rule by itself. */
  lines(): Line[] {
    const lines = [...this.#unfolded.matchAll(/[^\r\n]+/g)].map((match) => ({
      text: match[0],
      at: match.index,
    }));
    return lines.filter((line) => line.text.trim() !== "").map((line) => this.#read(line));
  }

  /** Refuses a piece. */
  refuse(piece: Piece, seen: string, wished: string): never {
    const place = (this.#places[piece.at] ?? this.#text.length) + 1;
    throw new PawlError(
      "INVALID_RECURRENCE",
      `Cannot read rrule ${JSON.stringify(this.#text)}: at character ${place}, got ${seen}, want ${wished}`,
    );
  }

  #read(line: Piece): Line {
    const colon = line.text.indexOf(":");
    if (colon < 0) return { name: { text: "RRULE", at: line.at }, params: new Map(), value: line };
    const [name, ...params] = split({ text: line.text.slice(0, colon), at: line.at }, ";");
    const named = params.map((param) => {
      const [key, value] = this.pair(param);
      return [key.text.toUpperCase(), { ...value, text: value.text.replace(/^"(.*)"$/, "$1") }] as const;
    });
    return {
      name: name!,
      params: new Map(named),
      value: { text: line.text.slice(colon + 1), at: line.at + colon + 1 },
    };
  }

  /** The two sides of `name=value`. */
  pair(piece: Piece): [Piece, Piece] {
    const [name, value, ...others] = split(piece, "=");
    if (!value || others.length > 0) {
      this.refuse(piece, `"${piece.text}"`, `one part of the form "NAME=VALUE"`);
    }
    return [name!, value];
  }
}

/** The pieces between separators. */
export function split(piece: Piece, by: string): Piece[] {
  let at = piece.at;
  return piece.text.split(by).map((text) => {
    const part = { text, at };
    at += text.length + by.length;
    return part;
  });
}
