import { readOwner } from "../../parts/ownership_rows.ts";
import type { Batch, CallResult, CommitCall } from "../../store/store.ts";

/** What a commit is for that writes no history, by the first key that tells. */
const kindsOfPut: readonly (readonly [prefix: string, kind: string])[] = [
  ["presence ", "renewal"],
  ["roster", "roster"],
  ["relay ", "relay"],
  ["held ", "relay hold"],
  ["event ", "send"],
  ["cursor ", "ack"],
  ["chore ", "hook retry"],
  ["run ", "record"],
  ["bell ", "bell"],
];
const kindsOfDelete: readonly (readonly [prefix: string, kind: string])[] = [
  ["chore ", "hook done"],
  ["run ", "removal"],
  ["hist ", "removal"],
  ["log ", "sweep"],
  ["event ", "sweep"],
  ["outcome ", "sweep"],
  ["held ", "relay hold"],
  ["presence ", "burial"],
];

/** What a batch is for. */
export function kindOfBatch({ puts, deletes }: Batch): string {
  const told = puts.find(({ key, stamped }) => stamped && key.startsWith("hist "));
  if (told) {
    const { by, kind } = JSON.parse(told.value) as { by: string; kind: string };
    return kind === "trigger" || by === "operator" || by === "engine" ? kind : `${by} ${kind}`;
  }
  const owner = puts.find(({ key }) => key.startsWith("owner "));
  if (owner) {
    const { engineId, passed } = readOwner({ key: owner.key, value: owner.value, version: 0 });
    return engineId === null ? "release" : passed ? "pass on" : "take-over";
  }
  for (const [prefix, kind] of kindsOfPut) if (puts.some(({ key }) => key.startsWith(prefix))) return kind;
  for (const [prefix, kind] of kindsOfDelete) if (deletes.some((key) => key.startsWith(prefix))) return kind;
  return "other";
}

/** What met which kind of commit how often. */
export class Coverage {
  readonly #counts = new Map<string, Map<string, number>>();

  /** Something has happened to a commit. */
  hit(what: string, calls: readonly CommitCall[]): void {
    for (const { batches } of calls) {
      if (batches.length === 0) this.#count(what, "settlement");
      for (const batch of batches) this.#count(what, kindOfBatch(batch));
    }
  }

  /** The store has answered a commit. */
  answered(calls: readonly CommitCall[], results: readonly CallResult[]): void {
    results.forEach((result, index) => {
      const call = calls[index]!;
      if (result.outcome === "guard-failed") return this.hit("fenced", [call]);
      if (result.outcome === "superseded") return this.hit("superseded", [call]);
      result.results.forEach(({ ok }, at) => {
        this.#count(ok ? "committed" : "refused", kindOfBatch(call.batches[at]!));
      });
    });
  }

  /** Adds what another has counted. */
  add(counts: readonly (readonly [what: string, kind: string, times: number])[]): void {
    for (const [what, kind, times] of counts) this.#count(what, kind, times);
  }

  /** All that was counted, as plain data. */
  get counts(): (readonly [what: string, kind: string, times: number])[] {
    return [...this.#counts].flatMap(([what, kinds]) =>
      [...kinds].map(([kind, times]) => [what, kind, times] as const)
    );
  }

  /** A table: a row per kind of commit, a column per thing that may happen to one. */
  table(): string {
    const whats = [...this.#counts.keys()].sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
    const kinds = [...new Set(this.counts.map(([, kind]) => kind))].sort();
    const rows = [
      ["", ...whats],
      ...kinds.map((kind) => [kind, ...whats.map((what) => this.#cell(what, kind))]),
    ];
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    return rows.map((row) => {
      const [name, ...cells] = row.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
      );
      return [name, ...cells].join("  ");
    }).join("\n");
  }

  #cell(what: string, kind: string): string {
    return String(this.#counts.get(what)?.get(kind) ?? "-");
  }

  #count(what: string, kind: string, times = 1): void {
    let kinds = this.#counts.get(what);
    if (!kinds) this.#counts.set(what, kinds = new Map());
    kinds.set(kind, (kinds.get(kind) ?? 0) + times);
  }
}

const first = ["committed", "refused", "fenced", "superseded"];

function order(what: string): number {
  const index = first.indexOf(what);
  return index < 0 ? first.length : index;
}
