/**
 * How serious a log line is. `error`: something stands still until somebody looks. `warn`: something went wrong, and the
 * engine goes on by itself. `info`: what runs and engines do beside progress. `debug`: for those who look for a fault.
 */
export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * Where the engine writes what an operator may want to read. User data never goes here: no key, no run data, and of what
 * a step threw only its name and code.
 */
export interface Logger {
  /**
   * Writes one line.
   *
   * @param level How serious.
   * @param message A sentence.
   * @param fields What it is about, flat.
   */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

const order: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/**
 * Writes JSON lines to the console.
 *
 * @param least The least serious level written; default `warn`.
 * @returns The logger.
 */
export function consoleLogger(least: LogLevel = "warn"): Logger {
  return {
    log(level, message, fields) {
      if (order.indexOf(level) < order.indexOf(least)) return;
      // deno-lint-ignore no-console -- this is the one place that may: the default logger.
      console[level](JSON.stringify({ level, message, ...fields }));
    },
  };
}

/** Writes nothing. */
export const silentLogger: Logger = { log: () => {} };
