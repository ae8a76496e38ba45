/**
 * What the project's tests use of `Deno`, made of Node's modules, so that they run where there is no Deno: in Node and Bun,
 * against the installed package. It adds nothing to the globals that the package itself might miss.
 *
 * @module
 */
import * as files from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";

interface Test {
  readonly name: string;
  readonly fn: () => unknown;
  readonly ignore?: boolean;
}

const tests: Test[] = [];

function test(first: string | Test, second?: () => unknown): void {
  tests.push(typeof first === "string" ? { name: first, fn: second! } : first);
}

/** What bundles of tests get for the global of this name. */
export const Deno = {
  test,
  args: [] as readonly string[],
  env: {
    get: (name: string): string | undefined => process.env[name],
    has: (name: string): boolean => name in process.env,
  },
  makeTempDir: ({ prefix = "" }: { readonly prefix?: string } = {}): Promise<string> =>
    files.mkdtemp(`${tmpdir()}/${prefix}`),
  remove: (path: string | URL, options?: { readonly recursive?: boolean }): Promise<void> =>
    files.rm(path, options),
  readTextFile: (path: string | URL): Promise<string> => files.readFile(path, "utf8"),
  writeTextFile: (path: string | URL, text: string): Promise<void> => files.writeFile(path, text),
  readFile: (path: string | URL): Promise<Uint8Array> => files.readFile(path),
  writeFile: (path: string | URL, bytes: Uint8Array): Promise<void> => files.writeFile(path, bytes),
  copyFile: (from: string | URL, to: string | URL): Promise<void> => files.copyFile(from, to),
  stat: async (path: string | URL): Promise<{ readonly size: number; readonly isFile: boolean }> => {
    const found = await files.stat(path);
    return { size: found.size, isFile: found.isFile() };
  },
  readDir: async function* (
    path: string | URL,
  ): AsyncGenerator<{ readonly name: string; readonly isDirectory: boolean }> {
    for (const entry of await files.readdir(path, { withFileTypes: true })) {
      yield { name: entry.name, isDirectory: entry.isDirectory() };
    }
  },
};

/** What came of a file of tests. */
export interface Outcome {
  readonly tests: number;
  readonly failures: readonly string[];
}

/** Runs what has been registered, one after another. */
export async function runTests(): Promise<Outcome> {
  const failures: string[] = [];
  const unheard = (error: unknown) => {
    failures.push(`unhandled: ${(error as Error)?.stack ?? error}`);
  };
  const wanted = tests.filter(({ ignore }) => !ignore);
  process.on("unhandledRejection", unheard);
  for (const { name, fn } of wanted) {
    try {
      await fn();
    } catch (error) {
      failures.push(`${name}: ${(error as Error)?.stack ?? error}`);
    }
  }
  await new Promise((resolve) => setTimeout(resolve));
  process.off("unhandledRejection", unheard);
  return { tests: wanted.length, failures };
}

/** What bundles of tests, and they alone, have for `Promise.withResolvers`, which Node 20 has not. */
export function withResolvers<T>(): PromiseWithResolvers<T> {
  let [resolve, reject] = [] as unknown as [(value: T | PromiseLike<T>) => void, (reason?: unknown) => void];
  const promise = new Promise<T>((onValue, onError) => [resolve, reject] = [onValue, onError]);
  return { promise, resolve, reject };
}

/** The same for `Array.fromAsync`. */
export async function fromAsync<T>(items: AsyncIterable<T> | Iterable<T | PromiseLike<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
