/** A line of a stack that names a place in code, as engines of JavaScript write it. */
const placed = /:\d+/;

/** Where the core lies, if it is not part of one file with the program that uses it. A classic script has no place. */
function coreUrl(): string | undefined {
  const { url } = import.meta as { readonly url?: string };
  return url && new URL("../", url).href;
}

/**
 * The stack of whoever called a verb: lines of the program's own, without the core's.
 *
 * @param verb The function that was called: the stack begins at its caller.
 * @param lengthMax Longest text; the innermost lines are kept.
 * @returns The lines, or `undefined` where the runtime has no stacks.
 */
export function callerOf(verb: unknown, lengthMax: number): string | undefined {
  const holder: { stack?: string } = {};
  const { captureStackTrace } = Error as {
    captureStackTrace?: (target: object, from: unknown) => void;
  };
  if (captureStackTrace) captureStackTrace(holder, verb);
  else holder.stack = new Error().stack ?? "";
  const lines = (holder.stack ?? "").split("\n").map((line) => line.trim()).filter((line) =>
    placed.test(line)
  );
  const core = coreUrl();
  const own = lines.filter((line) => !core || !line.includes(core));
  const text = (own.length > 0 ? own : lines).join("\n").slice(0, lengthMax);
  return text === "" ? undefined : text;
}
