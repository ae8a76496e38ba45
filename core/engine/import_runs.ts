/**
 * `admin.import()`: the runs of an export into a store of any kind and shard count. It never overwrites, and may be
 * repeated: what was cut off goes on, what is there is skipped.
 *
 * @module
 */
import { ImportIncompleteError, PawlError } from "../errors.ts";
import {
  decodeLine,
  exportFormat,
  type ExportLine,
  type HeaderLine,
  type RunLine,
} from "../parts/run_line.ts";
import { textLines } from "../parts/text_lines.ts";
import type { EngineContext } from "./context.ts";
import { type Imported, RunImporter } from "./import_run.ts";

/** What `admin.import()` takes. */
export interface ImportOptions {
  /** Ends the import by throwing its reason, once what is on its way has landed. */
  readonly signal?: AbortSignal;
  /** Told now and then, and at the end. What it throws ends the import. */
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** How far an import is. */
export interface ImportProgress {
  /** Lines read. */
  readonly lines: number;
  /** Runs imported. */
  readonly runs: number;
  /** Runs that were there already. */
  readonly skipped: number;
  /** Lines that were refused. */
  readonly refused: number;
}

/** A line that was not imported. */
export interface Refusal {
  /** Its number, from 1. */
  readonly line: number;
  /** The run, if the line told. */
  readonly runId?: string;
  /** Why. */
  readonly reason: string;
}

/** What an import came to. */
export interface ImportReport extends ImportProgress {
  /** The first 1,000 refused lines. */
  readonly refusals: readonly Refusal[];
}

const refusalsMax = 1_000;

/** Runs on their way at once: enough for full commit groups. */
const runsInFlightMax = 256;

/** Characters of lines on their way at once: the bound in memory. */
const charsInFlightMax = 16 * 1024 * 1024;

/** Lines between two calls of `onProgress`. */
const progressLines = 100;

/**
 * @param context The engine.
 * @param pieces Text of an export, cut anywhere.
 * @param options Signal and progress.
 * @returns What became of the lines.
 * @throws {ImportIncompleteError} When the text was cut off; what came before the cut was imported.
 * @throws {PawlError} `INVALID_ARGUMENT` when it is no export, `STORE_INCOMPATIBLE` when it is of a newer format, or what
 * the store says. What was imported stays.
 */
export async function importRuns(
  context: EngineContext,
  pieces: AsyncIterable<string> | Iterable<string>,
  { signal, onProgress }: ImportOptions,
): Promise<ImportReport> {
  const landing = new Landing(new RunImporter(context));
  let header: HeaderLine | undefined;
  let trailer: { readonly lines: number } | undefined;
  let seen = 0;
  try {
    for await (const { number, text } of textLines(pieces)) {
      signal?.throwIfAborted();
      landing.lines = number;
      if (!header) {
        header = headerOf(text);
        continue;
      }
      if (trailer) throw refusedText(`line ${number} stands after the end`);
      const line = landing.decode(number, text);
      if (line?.kind === "pawl-export") throw refusedText(`line ${number} is a second header`);
      if (line?.kind === "end") trailer = { lines: line.runs + line.damaged };
      else seen++;
      if (line?.kind === "damaged") landing.refuse(number, `it was damaged in its store: ${line.problem}`);
      if (line?.kind === "run") await landing.begin(number, line, text.length);
      if (onProgress && number % progressLines === 0) onProgress(landing.progress());
    }
  } finally {
    await landing.settled();
  }
  landing.throwIfFailed();
  if (!header) throw refusedText("it is empty");
  onProgress?.(landing.progress());
  const report = landing.report();
  if (trailer?.lines !== seen) throw new ImportIncompleteError(seen, trailer?.lines, report);
  return report;
}

function headerOf(text: string): HeaderLine {
  let line: ExportLine | undefined;
  try {
    line = decodeLine(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
  }
  if (line?.kind !== "pawl-export") {
    throw refusedText(`line 1 is no header of an export, but ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (line.format <= exportFormat) return line;
  throw new PawlError(
    "STORE_INCOMPATIBLE",
    `Cannot import: the export has format ${line.format}, this version of Pawl reads up to ${exportFormat}; ` +
      `import it with a newer Pawl`,
  );
}

function refusedText(why: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot import: ${why}; give the text of admin.export(), whole`);
}

/** The runs on their way: many at once, those of one key in turn. */
class Landing {
  /** Lines read. */
  lines = 0;
  readonly #importer: RunImporter;
  readonly #refusals: Refusal[] = [];
  /** The last run on its way of each key. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #counts = { imported: 0, skipped: 0, refused: 0 };
  #chars = 0;
  #inFlight = 0;
  #wake: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(importer: RunImporter) {
    this.#importer = importer;
  }

  /** The line, unless it is none: then it is refused. */
  decode(number: number, text: string): ExportLine | undefined {
    try {
      return decodeLine(text);
    } catch (error) {
      if (!(error instanceof PawlError)) throw error;
      this.refuse(number, error.message);
      return undefined;
    }
  }

  refuse(line: number, reason: string, runId?: string): void {
    this.#counts.refused++;
    if (this.#refusals.length >= refusalsMax) return;
    this.#refusals.push({ line, ...(runId !== undefined && { runId }), reason });
  }

  /** Resolves when there is room for another run. */
  async begin(number: number, line: RunLine, chars: number): Promise<void> {
    const { definition, key, id } = line.record;
    const place = `${definition} ${key}`;
    this.#inFlight++;
    this.#chars += chars;
    const turn = (this.#turns.get(place) ?? Promise.resolve())
      .then(() => this.#failure ? undefined : this.#importer.land(line))
      .then((result) => result && this.#count(number, id, result))
      .catch((error) => void (this.#failure ??= { error }))
      .then(() => {
        this.#inFlight--;
        this.#chars -= chars;
        if (this.#turns.get(place) === turn) this.#turns.delete(place);
        this.#wake?.();
      });
    this.#turns.set(place, turn);
    while (this.#inFlight >= runsInFlightMax || this.#chars >= charsInFlightMax) await this.#change();
    this.throwIfFailed();
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#inFlight > 0) await this.#change();
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  progress(): ImportProgress {
    const { imported, skipped, refused } = this.#counts;
    return { lines: this.lines, runs: imported, skipped, refused };
  }

  report(): ImportReport {
    const refusals = this.#refusals.sort((a, b) => a.line - b.line);
    return { ...this.progress(), refusals };
  }

  #count(line: number, runId: string, result: Imported): void {
    if (result.outcome === "refused") this.refuse(line, result.reason, runId);
    else this.#counts[result.outcome]++;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }
}
