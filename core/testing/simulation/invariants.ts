/**
 * What must be true of every life, by name. ARCHITECTURE.md has the same list with who proves each.
 *
 * @module
 */

/** Every invariant that the simulator checks. */
export const invariants = {
  I1: "a key has at most one unfinished run",
  I2: "a run's version grows by exactly 1 with every change of its record, and history tells of each",
  I3: "every transition is an edge of the graph, made by the code it belongs to",
  I4: "nothing happens to a run that has ended but its deletion",
  I5: "a paused run starts nothing; what runs when it is paused may land, once",
  I6: "what was acknowledged has happened and survives; what was refused has not happened",
  I7: "timers begin and end with their status, and each due one fires once, never early",
  I8: "every transition is told to streams at least once, and in order per run",
  I9: "what is due is begun, and what can end ends",
  I10: "only the owner of a shard writes for it, and ownership changes hands one epoch at a time",
  I11: "a lock has no more holders than permits, is granted in turn, and under tokens that only grow",
  I12: "each occurrence of a schedule has one outcome, and is started at most once",
  I14: "deleted data is in no row of the store",
  I15: "a group of commits does what its members would do one after the other",
  once: "the result of an attempt is told once, and its work is in the data exactly once",
  rebase: "a result that meets another writer is rebased, and its code not run again",
  crashes: "a run that lands is no longer under suspicion of killing processes",
  hook: "a change of a run's state brings its hooks, and each sees the run as it was then",
  index: "index rows are those of the records, no more and no less",
  retention: "a finished run is removed whole, when it is due, and not before",
  await: "a wait ends when what it waits for is true, or cannot come true any more",
  stop: "an engine stops without an error",
  connector: "an event from outside is handed in at least once, and in order per key",
  platform: "nothing that needs the network starts without it, and nothing at all on a tab that is left",
  check: "what the scenario itself demands",
} as const;

/** The name of an invariant. */
export type InvariantName = keyof typeof invariants;
