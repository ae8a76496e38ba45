import { PawlError } from "../errors.ts";

/** Codes that are about the store, whatever it was asked: to ask for less would not help. */
const general: readonly string[] = [
  "STORE_BUSY",
  "STORE_CLOSED",
  "STORE_INCOMPATIBLE",
  "STORE_READ_ONLY",
  "STORE_UNAUTHORIZED",
  "STORE_UNREACHABLE",
];

/** Whether an error passes by itself, and what was asked for was surely not done: it may simply be tried again. */
export function isPassing(error: unknown): boolean {
  return error instanceof PawlError && (error.code === "STORE_BUSY" || error.code === "STORE_UNREACHABLE");
}

/** Whether an error would have met any other request as well. */
export function isGeneral(error: unknown): boolean {
  return error instanceof PawlError && general.includes(error.code);
}
