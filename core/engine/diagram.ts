/**
 * A machine as Mermaid text. Any text can be a status, and Mermaid's language has no quoting that holds it: its lexer
 * takes `direction LR`, `<<choice>>` or `%%{` wherever they stand, also within quotes. So nothing of a status gets
 * there as it is but letters and digits, and single separators between them; the rest goes as numbers.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import type { Transition } from "./behaviour.ts";
import type { DiagramDirection, DiagramOptions, DiagramSource } from "./diagram_options.ts";

const directions: readonly DiagramDirection[] = ["LR", "RL", "TB", "BT"];

/**
 * Draws a machine. The same machine gives the same text.
 *
 * @param source Its statuses, and what leads from one to others.
 * @param options Where to: `direction`.
 * @returns A Mermaid `stateDiagram-v2`, with a line break at its end.
 * @throws {PawlError} `INVALID_ARGUMENT` when the direction is none.
 */
export function diagramOf(source: DiagramSource, { direction = "LR", status }: DiagramOptions = {}): string {
  checkDirection(source.name, direction);
  const { start, transitions } = source;
  const statuses = new Set([
    start,
    ...source.statuses,
    ...transitions.flatMap(({ from, to }) => [from, ...to]),
  ]);
  const left = new Set(transitions.map(({ from }) => from));
  if (status !== undefined && !statuses.has(status)) {
    throw new PawlError(
      "UNKNOWN_STATUS",
      `Cannot draw diagram of "${source.name}": it has no status ${JSON.stringify(status)}`,
    );
  }
  const lines = [
    ...[...statuses].map((status) => `state "${textOf(status)}" as ${idOf(status)}`),
    `[*] --> ${idOf(start)}`,
    ...arrowsOf(mergeLoops(transitions)),
    ...[...statuses].filter((status) => !left.has(status)).map((status) => `${idOf(status)} --> [*]`),
    ...(status === undefined ? [] : [hereClass, `class ${idOf(status)} here`]),
  ];
  return [`stateDiagram-v2`, `direction ${direction}`, ...lines].join("\n  ") + "\n";
}

/** Readable on light and dark pages. */
const hereClass = "classDef here fill:#2563eb,color:#ffffff,stroke:#1e40af,stroke-width:3px";

function checkDirection(name: string, direction: DiagramDirection): void {
  if (directions.includes(direction)) return;
  throw new PawlError(
    "INVALID_ARGUMENT",
    `Cannot draw diagram of "${name}": got direction ${JSON.stringify(direction) ?? String(direction)}, ` +
      `want ${directions.map((each) => `"${each}"`).join(", ")}`,
  );
}

/** Mermaid draws but one arrow from a status to itself, so that one says all that it stands for. */
function mergeLoops(transitions: readonly Transition[]): Transition[] {
  const isLoop = ({ from, to }: Transition) => to.length > 0 && to.every((each) => each === from);
  return transitions.flatMap((transition) => {
    if (!isLoop(transition)) return [transition];
    const loops = transitions.filter((each) => each.from === transition.from && isLoop(each));
    if (loops.length === 1) return [transition];
    const label = loops.map(({ by, label }) => label || by).join(" or ");
    return transition === loops[0] ? [{ ...transition, label }] : [];
  });
}

/** Several destinations of one handler are a choice that it makes, and are drawn so. */
function arrowsOf(transitions: readonly Transition[]): string[] {
  const choices = new Map<string, number>();
  return transitions.flatMap((transition) => {
    const from = idOf(transition.from);
    const label = labelOf(transition);
    const to = [...new Set(transition.to)].map(idOf);
    if (to.length < 2) return to.map((each) => `${from} --> ${each}${label}`);
    const nth = (choices.get(from) ?? 0) + 1;
    choices.set(from, nth);
    const choice = `choice${nth}_${from}`;
    return [
      `state ${choice} <<choice>>`,
      `${from} --> ${choice}${label}`,
      ...to.map((each) => `${choice} --> ${each}`),
    ];
  });
}

function labelOf({ by, label = by === "step" ? "" : by }: Transition): string {
  return label === "" ? "" : `: ${textOf(label)}`;
}

/**
 * A word of ASCII letters, digits and `_`. No two statuses share one, as a `_` is doubled, and begins a number only
 * when it is single; and none is a word of Mermaid's, as no such word begins with `s_`.
 */
function idOf(status: string): string {
  const word = status.replace(/_/g, "__").replace(
    /[^A-Za-z0-9_]/gu,
    (char) => `_x${char.codePointAt(0)!.toString(16)}_`,
  );
  return `s_${word}`;
}

/** What Mermaid shows as this text. */
function textOf(text: string): string {
  const apart = text.replace(/ﬂ(?=°)|¶(?=ß)/g, `$&${wordJoiner}`);
  const escaped = apart.replace(
    /((?<=[\p{L}\p{M}\p{N}])[ _-](?=[\p{L}\p{M}\p{N}])|[\p{L}\p{M}\p{N}])|./gsu,
    (char, kept: string | undefined, at: number) => kept ?? `#${shownCode(char, at, apart)};`,
  );
  return escaped.replace(/(direction) /gi, "$1#32;");
}

/** HTML makes one space of many and none at an edge, and has no numbers for what cannot be seen. */
function shownCode(char: string, at: number, text: string): number {
  const code = char.codePointAt(0)!;
  if (code === 0x20) return at === 0 || at === text.length - 1 || text[at - 1] === " " ? noBreakSpace : code;
  if (code < 0x20) return controlPictures + code;
  if (code === 0x7f) return deletePicture;
  const isUnseen = (code > 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000);
  return isUnseen ? replacement : code;
}

/** Keeps apart what Mermaid puts in the place of `&#` and `;`, and turns back wherever it finds it. */
const wordJoiner = "\u2060";
const noBreakSpace = 0xa0;
const controlPictures = 0x2400;
const deletePicture = 0x2421;
const replacement = 0xfffd;
