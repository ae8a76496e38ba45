import { PawlError } from "../errors.ts";
import { every } from "./every.ts";
import { type Recurrence, recurrence, type RecurrenceType, type StoredRecurrence } from "./recurrence.ts";

/**
 * What reads stored recurrences: of {@linkcode every}, and of the types it is given.
 *
 * @param types Each under its own name; the same one may be given twice.
 * @returns A function that reads one. It throws `UNKNOWN_RECURRENCE` for a type that it was not given, and
 * `INVALID_RECURRENCE` for a spec that its type refuses.
 * @throws {PawlError} `INVALID_ARGUMENT` when two types have one name.
 */
export function recurrenceReader(types: readonly RecurrenceType[]): (stored: StoredRecurrence) => Recurrence {
  const byName = new Map<string, RecurrenceType>([[every.type, every]]);
  for (const code of types) {
    const known = byName.get(code.type) ?? code;
    if (known !== code) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        `Cannot carry two types of recurrence named "${code.type}": want one; rename the other, or leave it out`,
      );
    }
    byName.set(code.type, code);
  }
  return ({ type, spec }) => {
    const code = byName.get(type);
    if (code) return recurrence(code, spec);
    const names = [...byName.keys()].map((name) => `"${name}"`).join(", ");
    throw new PawlError(
      "UNKNOWN_RECURRENCE",
      `Cannot read a recurrence of type "${type}": this engine carries ${names}; ` +
        `give the type to createEngine({ recurrences })`,
    );
  };
}
