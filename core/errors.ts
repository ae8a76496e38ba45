/**
 * Every error Pawl throws: one base class, a stable `code`, and a subclass only where a caller is expected to
 * catch it and read more than a message.
 *
 * @module
 */

/** The stable codes, each with the one situation it names. */
export type ErrorCode =
  | "INVALID_ARGUMENT" // a value given to a public function has the wrong shape
  | "INVALID_DURATION" // text that is no duration
  | "INVALID_RECURRENCE" // text or options that say no recurrence
  | "UNKNOWN_RECURRENCE" // a stored recurrence of a type that this engine does not carry
  | "INVALID_GRAPH" // a machine whose statuses and edges do not fit together
  | "INVALID_TRANSITION" // a handler returned a status its edge list does not allow
  | "NOT_JSON" // user data that JSON cannot carry without loss
  | "INVALID_DATA" // user data that the definition's schema refuses
  | "SCHEMA_FAILED" // the schema itself threw, or answered what no schema may
  | "MIGRATION_FAILED" // the definition's migrate() threw
  | "DATA_TOO_NEW" // data of a later version than the deployed code knows
  | "PAYLOAD_TOO_LARGE" // user data over `limits.payloadBytesMax`
  | "LIMIT_EXCEEDED" // any other named limit
  | "UNKNOWN_DEFINITION" // the engine does not carry this definition
  | "UNKNOWN_STATUS" // the definition has no such status
  | "NO_CALLBACK" // the status takes no callback
  | "RUN_IN_PROGRESS" // the key has an unfinished run
  | "RUN_NOT_FOUND" // no run under this key or id
  | "HOOK_NOT_FOUND" // no parked hook of that id
  | "SCHEDULE_NOT_FOUND" // no schedule of that id
  | "SCHEDULE_EXISTS" // the id names a schedule that was asked to do something else
  | "UNKNOWN_FILTER" // the engine was given no filter of that name
  | "RUN_ENDED" // the awaited status can no longer be reached
  | "RUN_STATE" // the verb is not allowed in the run's state
  | "IDEMPOTENCY_MISMATCH" // an idempotency key was used before with other input
  | "AWAIT_TIMEOUT" // `await` passed its `timeout`
  | "NOT_REACHED" // a test waited for what its run did not come to
  | "SIMULATION_FAILED" // a simulated life broke an invariant
  | "ALREADY_APPLIED" // a prepared trigger was committed a second time
  | "UNSUPPORTED" // the store or definition cannot do this, or the engine lacks a feature
  | "CONFLICT" // other writers won every one of the bounded retries
  | "LEASE_LOST" // another engine owns the shard now
  | "OUTCOME_UNKNOWN" // the reply to a commit was lost and could not be settled
  | "STORE_BUSY" // the store stayed locked for longer than the limit
  | "STORE_UNREACHABLE" // the server of an open store does not answer; nothing was done
  | "STORE_UNAUTHORIZED" // the server does not accept the token, or wants one
  | "STORE_READ_ONLY" // the file, or the token, may only be read
  | "STORE_FULL" // the disk or quota is exhausted, or too nearly so for a new run
  | "STORE_CLOSED" // the store was closed
  | "STORE_CORRUPT" // a stored value breaks an invariant
  | "STORE_INCOMPATIBLE" // the store or export was written by another format or shard count
  | "STORE_FAILED" // any other failure of the storage driver, with its error as `cause`
  | "IMPORT_INCOMPLETE" // the text of an export was cut off
  | "INTEGRATION_FAILED" // init or close of an integration threw, or took too long
  | "POLICY_NOT_ALLOWED" // a caller brought a policy where none, or not that one, may be
  | "ALREADY_HELD" // whoever asks for a lock has it
  | "DEADLOCK" // whoever asks for a lock would wait for himself
  | "LOCK_LOST" // a lock was taken away, or not renewed in time
  | "LOCK_TIMEOUT" // a lock was not granted in time
  | "STEP_TIMEOUT" // a step ran past its own time limit
  | "ENGINE_STOPPED" // the engine was stopped, or stopped while waiting
  | "UNAUTHORIZED" // the HTTP API does not know who asks
  | "FORBIDDEN" // the HTTP API does not allow it to whoever asks
  | "NOT_FOUND" // the HTTP API has no such route, or was not given what it shows
  | "UNSUPPORTED_MEDIA" // a body that the HTTP API does not read
  | "RATE_LIMITED" // too many requests, or streams
  | "WEBHOOK_REFUSED" // a webhook without a valid token or signature
  | "WEBHOOK_EXPIRED" // a webhook after its time
  | "HTTP_FAILED" // no answer came, or one that is not of the HTTP API
  | "INTERNAL"; // a broken invariant: a bug in Pawl

/**
 * Base class of all errors that Pawl throws.
 *
 * @example
 * ```ts
 * import { PawlError } from "pawl";
 * const error = new PawlError("RUN_NOT_FOUND", "Cannot pause run: no run with key \"order-1\"");
 * console.assert(error.code === "RUN_NOT_FOUND");
 * ```
 */
export class PawlError extends Error {
  /** Stable, machine-readable name of what happened. */
  readonly code: ErrorCode;

  /**
   * Names what happened.
   *
   * @param code The stable code.
   * @param message What happened, to what, the value seen and the value wished.
   * @param options `cause`: the error underneath.
   */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A trigger was refused: the key has an unfinished run. */
export class RunInProgressError extends PawlError {
  /** The unfinished run. */
  readonly runId: string;

  /**
   * Describes one such situation.
   *
   * @param definition Its definition.
   * @param key The busy key.
   * @param runId The unfinished run.
   */
  constructor(definition: string, key: string, runId: string) {
    super(
      "RUN_IN_PROGRESS",
      `Cannot trigger "${definition}" for key "${key}": run ${runId} is unfinished; ` +
        `wait for it, cancel it, or use another key`,
    );
    this.runId = runId;
  }
}

/** What a schema has against data. */
export interface DataIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where in the data; empty: the data as a whole. */
  readonly path: readonly (string | number)[];
}

/** The definition's schema refuses the data: nothing was written. */
export class InvalidDataError extends PawlError {
  /** What it has against it; the first 20. */
  readonly issues: readonly DataIssue[];

  /**
   * Describes one such situation.
   *
   * @param what What was refused.
   * @param issues What the schema has against the data.
   */
  constructor(what: string, issues: readonly DataIssue[]) {
    const told = issues.slice(0, 5).map(({ message, path }) => `${pathText(path)}: ${message.slice(0, 200)}`);
    const rest = issues.length > told.length ? `; and ${issues.length - told.length} more` : "";
    super(
      "INVALID_DATA",
      `Cannot ${what}: the schema refuses the data: ${told.join("; ") || "without a reason"}${rest}`,
    );
    this.issues = issues;
  }
}

function pathText(path: readonly (string | number)[]): string {
  const text = path.map((part) =>
    typeof part === "number" ? `[${part}]` : /^[\w$]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`
  );
  return `data${text.join("")}`.slice(0, 200);
}

/** The run ended without reaching the awaited status. */
export class RunEndedError extends PawlError {
  /** The run that ended. */
  readonly runId: string;
  /** The state it ended in. */
  readonly runState: string;

  /**
   * Describes one such situation.
   *
   * @param runId The run.
   * @param runState How it ended.
   * @param status Where it ended.
   * @param wanted What was awaited.
   */
  constructor(runId: string, runState: string, status: string, wanted: string) {
    super(
      "RUN_ENDED",
      `Cannot await status "${wanted}": run ${runId} is ${runState} at "${status}" and was never there`,
    );
    this.runId = runId;
    this.runState = runState;
  }
}

/** A verb was refused because of the run's state: nothing was changed. */
export class RunStateError extends PawlError {
  /** The state seen. */
  readonly runState: string;

  /**
   * Describes one such situation.
   *
   * @param verb What was asked.
   * @param runId The run.
   * @param runState Its state.
   * @param allowed The states it would need.
   */
  constructor(verb: string, runId: string, runState: string, allowed: readonly string[]) {
    super("RUN_STATE", `Cannot ${verb} run ${runId}: it is ${runState}, not ${allowed.join(" or ")}`);
    this.runState = runState;
  }
}

/** Other writers changed the run on every one of the bounded retries; nothing was written by this call. */
export class ConflictError extends PawlError {
  /**
   * Describes one such situation.
   *
   * @param message What could not be written.
   */
  constructor(message: string) {
    super("CONFLICT", message);
  }
}

/** The text given to `admin.import()` was cut off. What came before the cut was imported. */
export class ImportIncompleteError<Report = unknown> extends PawlError {
  /** What became of the lines that were there. */
  readonly report: Report;

  /**
   * Describes one such situation.
   *
   * @param seen Lines of runs that were there.
   * @param wanted Lines that the trailer tells of; absent: there is no trailer.
   * @param report What became of them.
   */
  constructor(seen: number, wanted: number | undefined, report: Report) {
    super(
      "IMPORT_INCOMPLETE",
      `Cannot import all of the export: it was cut off; it has ${seen} lines of runs, ` +
        `${wanted === undefined ? "and no trailer" : `its trailer tells of ${wanted}`}; ` +
        `what was there is imported, so import it again when it is whole`,
    );
    this.report = report;
  }
}

/** The engine no longer owns the shard: another engine does, and its writes count. */
export class LeaseLostError extends PawlError {
  /**
   * Describes one such situation.
   *
   * @param what The shard and definition.
   */
  constructor(what: string) {
    super("LEASE_LOST", `Cannot commit to ${what}: another engine has taken it over`);
  }
}

/** The reply to a commit was lost, and settling it failed too: it may or may not have been applied. */
export class OutcomeUnknownError extends PawlError {
  /**
   * Describes one such situation.
   *
   * @param message What was being written.
   * @param options `cause`: the driver's error.
   */
  constructor(message: string, options?: { cause?: unknown }) {
    super("OUTCOME_UNKNOWN", message, options);
  }
}

/** The store is locked by somebody else. The commit was surely not applied; the group committer tries again. */
export class StoreBusyError extends PawlError {
  /**
   * Describes one such situation.
   *
   * @param message What was refused.
   * @param options `cause`: the driver's error.
   */
  constructor(message: string, options?: { cause?: unknown }) {
    super("STORE_BUSY", message, options);
  }
}

/** The store was closed. */
export class StoreClosedError extends PawlError {
  /**
   * Describes one such situation.
   *
   * @param what The call that came too late.
   */
  constructor(what: string) {
    super("STORE_CLOSED", `Cannot ${what}: the store is closed`);
  }
}
