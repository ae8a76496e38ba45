/**
 * The door for user data: what JSON cannot carry without loss is refused here, with the path to it.
 *
 * @module
 */
import { PawlError } from "./errors.ts";

/** Deeper than any honest document; also what stops a cycle. */
const depthMax = 500;

/**
 * JSON text of a value that survives the round trip unchanged.
 *
 * Properties that are `undefined` are left out, as `JSON.stringify` does; everything else that JSON would change or
 * drop (bigint, Date, Map, class instances, functions, NaN, Infinity, cycles, holes) is refused.
 *
 * @param value The user's data.
 * @param what Its name in error messages, such as `data`.
 * @param bytesMax Longest text allowed, in UTF-16 units.
 * @returns The JSON text; `"null"` for `undefined`.
 * @throws {PawlError} `NOT_JSON` with the path, or `PAYLOAD_TOO_LARGE`.
 */
export function jsonText(value: unknown, what: string, bytesMax: number): string {
  if (value === undefined) return "null";
  if (!isJson(value, 0)) refuseWithPath(value, what, 0);
  const text = JSON.stringify(value);
  if (text.length > bytesMax) {
    throw new PawlError(
      "PAYLOAD_TOO_LARGE",
      `Cannot store ${what}: it is ${text.length} bytes of JSON, the limit is ${bytesMax}; ` +
        `keep large values elsewhere and store a reference`,
    );
  }
  return text;
}

/** The quick look, without paths; what fails it is looked at again to say where. */
function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      return value === null || (depth <= depthMax && isPlain(value, depth));
    default:
      return false;
  }
}

function isPlain(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!isJson(value[index], depth + 1)) return false;
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return false;
  }
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  for (const name in value) {
    const item = (value as Record<string, unknown>)[name];
    if (item !== undefined && !isJson(item, depth + 1)) return false;
  }
  return true;
}

function refuseWithPath(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value)) return;
      return refuse(path, String(value), "a finite number");
    case "object":
      if (value === null) return;
      if (depth > depthMax) {
        return refuse(path.slice(0, 60) + "...", `over ${depthMax} levels or a cycle`, "a tree");
      }
      return refuseInside(value, path, depth);
    default:
      return refuse(path, `a ${typeof value}`, "JSON");
  }
}

function refuseInside(value: object, path: string, depth: number): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      refuseWithPath(value[index], `${path}[${index}]`, depth + 1);
    }
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  // An object of another realm (an iframe, a vm) has its own Object.prototype: its prototype's prototype is null too.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return refuse(path, `a ${prototype.constructor?.name ?? "class instance"}`, "a plain object");
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    return refuse(path, "an object with symbol keys", "string keys");
  }
  for (const name of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[name];
    if (item !== undefined) refuseWithPath(item, `${path}.${name}`, depth + 1);
  }
}

function refuse(path: string, seen: string, wished: string): never {
  throw new PawlError("NOT_JSON", `Cannot store ${path}: got ${seen}, want ${wished}`);
}

/**
 * Reads JSON text that Pawl itself wrote.
 *
 * @param text The stored text.
 * @param what Where it was found, for the error message.
 * @returns The value.
 * @throws {PawlError} `STORE_CORRUPT` when it is no JSON.
 */
export function parseStored(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PawlError("STORE_CORRUPT", `Cannot read ${what}: the stored value is no JSON`, { cause });
  }
}
