/**
 * Every bound of the engine in one place, each with its reason. Nothing in Pawl grows without one.
 *
 * @module
 */

/** The named limits; `createEngine({ limits })` overrides single fields. */
export interface Limits {
  /** Bytes (UTF-16 units of its JSON text) of one run's data. Larger values belong in a blob store, by reference. */
  readonly payloadBytesMax: number;
  /** UTF-16 units of a user-given key: keys are index material, and must fit every store once escaped. */
  readonly keyLengthMax: number;
  /** UTF-16 units of a definition, status or idempotency name, for the same reason. */
  readonly nameLengthMax: number;
  /** UTF-16 units kept of a reason or an error message; the rest is cut, so no error can fill a record. */
  readonly messageLengthMax: number;
  /** UTF-16 units kept of where a run was triggered from; it is written with every change of the run. */
  readonly traceOriginLengthMax: number;
  /** Steps of user code an engine runs at once: enough to fill a commit group, few enough to hold in memory. */
  readonly runsInFlightMax: number;
  /** Due runs an owner keeps in memory per definition and shard; the rest waits in the index. */
  readonly dueInMemoryMax: number;
  /** Rows of the due index read at a time. */
  readonly duePageMax: number;
  /** Rebases of one change before it gives up with `CONFLICT`. */
  readonly rebasesMax: number;
  /** Rows that `list` looks at for one page. */
  readonly scanMax: number;
  /** Rows of a page of `list` or `history`. */
  readonly pageMax: number;
  /**
   * Rows that the engine reads at a time for itself. Not below the engines of a store, dead ones of the last ten terms with
   * them, nor below the definitions that a shard was ever owned for: who owns what is read in one page.
   */
  readonly readPageMax: number;
  /** Batches of one commit group: past 512 the gain is small and the event loop blocks for longer. */
  readonly groupBatchesMax: number;
  /** Milliseconds a commit waits for a store that is busy or away before the caller hears of it. */
  readonly busyMsMax: number;
  /** Attempts to settle an unknown outcome before the caller hears of it; those that a store was away for do not count. */
  readonly settlesMax: number;
  /** Runs that a new owner starts at once after its predecessor died, each with a recorded attempt first. */
  readonly suspectsInFlightMax: number;
  /** Times a step may take its process down before the run is paused. */
  readonly crashesMax: number;
  /** Occurrences of a schedule that wait for their turn; more are passed over. */
  readonly occurrencesWaitingMax: number;
  /** Unfinished runs of a schedule that may overlap: its record names them all. */
  readonly scheduleRunsMax: number;
  /** Missed occurrences that are counted one by one, as a rule may be slow; of more it is said that there were more. */
  readonly missedCountMax: number;
  /** Outcomes of a schedule's occurrences that are kept; the oldest go first. */
  readonly outcomesKeptMax: number;
  /** Runs whose events the relay holds back per definition and shard; with more it waits, as the streamer is at fault. */
  readonly heldRunsMax: number;
}

/** The defaults of {@linkcode Limits}. */
export const defaultLimits: Limits = {
  payloadBytesMax: 256 * 1024,
  keyLengthMax: 256,
  nameLengthMax: 128,
  messageLengthMax: 2_000,
  traceOriginLengthMax: 2_000,
  runsInFlightMax: 2_048,
  dueInMemoryMax: 16_384,
  duePageMax: 1_024,
  rebasesMax: 64,
  scanMax: 5_000,
  pageMax: 1_000,
  readPageMax: 1_000,
  groupBatchesMax: 512,
  busyMsMax: 30_000,
  settlesMax: 8,
  suspectsInFlightMax: 4,
  crashesMax: 5,
  occurrencesWaitingMax: 1_000,
  scheduleRunsMax: 1_000,
  missedCountMax: 1_000,
  outcomesKeptMax: 1_000,
  heldRunsMax: 100,
};
