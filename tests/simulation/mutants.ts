// deno-lint-ignore-file no-console -- the table is the product.
/**
 * Breaks one rule at a time in a copy of the tree and shows that the simulator sees it. A survivor is a missing check.
 *
 * @module
 */

/** A rule, and the text that keeps it. */
interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

const mutants: readonly Mutant[] = [
  {
    name: "checks do not see the group's earlier puts",
    file: "core/store/settle.ts",
    find: "const results = held ? call.batches.map((batch) => settleBatch(batch, view)) : undefined;",
    replace:
      "const before = new Map(call.batches.flatMap((b) => b.checks.map((c) => [c.key, view.versionOf(c.key)] as const)));\n" +
      "  const blind: ShardView = { versionOf: (key) => before.get(key), valueOf: (key) => view.valueOf(key),\n" +
      "    nextVersion: () => view.nextVersion(), put: (k, v, n) => view.put(k, v, n), delete: (k) => view.delete(k) };\n" +
      "  const results = held ? call.batches.map((batch) => settleBatch(batch, blind)) : undefined;",
  },
  {
    name: "the guard is not sent",
    file: "core/store/group_commit.ts",
    find: "...(guard && { guard }),",
    replace: "",
  },
  {
    name: "versions start again when the store is quiet",
    file: "adapters/memory/mod.ts",
    find: "return ++this.#version;",
    replace: "return this.#version = (this.#version + 1) % 97 + 1;",
  },
  {
    name: "a refused landing is run again, not rebased",
    file: "core/engine/shard_owner.ts",
    find: "      await this.#hot.change(run, changeOf);\n    } catch (error) {\n      await this.#landSurely",
    replace: "      const { version } = run;\n" +
      "      await this.#hot.change(run, (record, now) => version === run.version ? changeOf(record, now) : {});\n" +
      "    } catch (error) {\n      await this.#landSurely",
  },
  {
    name: "acknowledged before the commit",
    file: "core/store/group_commit.ts",
    find: "      this.#queue.push({ shard, guard, batch, resolve, reject });",
    replace: "      this.#queue.push({ shard, guard, batch, resolve, reject });\n" +
      "      if (!guard) resolve({ ok: true, version: 1 });",
  },
  {
    name: "the outcome row is not checked",
    file: "core/store/settle.ts",
    find: "return last !== committer.previous;",
    replace: "return false && last !== committer.previous;",
  },
  {
    name: "a lost reply is taken for a refusal",
    file: "core/store/group_commit.ts",
    find: "if (last?.callId === lost.call.committer.callId) this.#answer(lost, last.results);",
    replace: "if (last?.callId === lost.call.committer.callId) return true;",
  },
  {
    name: "a result lands on a finished run",
    file: "core/parts/run_change.ts",
    find: "if (run.visit !== attempt.visit || isFinished(run.state)) {",
    replace: "if (run.visit !== attempt.visit) {",
  },
  {
    name: "a run is written without a check of its version",
    file: "core/engine/write_change.ts",
    find: "  batch.check(keyspace.run.key(record.id), held.version);\n",
    replace: "",
  },
  {
    name: "a step resumes the run it lands on",
    file: "core/parts/run_change.ts",
    find: 'state: isEnd ? "completed" : isPaused ? "paused" : "running",',
    replace: 'state: isEnd ? "completed" : "running",',
  },
  {
    name: "index rows outlive the record's change",
    file: "core/store/table.ts",
    find: "if (old && old.key !== next?.key) batch.delete(old.key);",
    replace: "",
  },
  {
    name: "a trigger does not check the key",
    file: "core/engine/trigger.ts",
    find: "batch.check(keyRow, latest?.version ?? null).check(keyspace.run.key(record.id), null);",
    replace: "batch.check(keyspace.run.key(record.id), null);",
  },
  {
    name: "an idempotency key is not looked up",
    file: "core/engine/trigger.ts",
    find: "if (kept) return",
    replace: "if (kept && !kept) return",
  },
  {
    name: "a guest's trigger does not ring the bell",
    file: "core/engine/trigger.ts",
    find: 'if (!owner) batch.put(keyspace.bell.key(definition.name), "1");',
    replace: "",
  },
  {
    name: "half of a commit that failed is forgotten",
    file: "core/store/group_commit.ts",
    find: "await this.#commitAll(waiting.slice(middle));",
    replace: "",
  },
  {
    name: "a dead owner is never replaced",
    file: "core/engine/ownership.ts",
    find: "if (clock.now() <= row.expiresAt + skewMs && !stoodStill) alive.add(engineId);",
    replace: "alive.add(engineId);",
  },
  {
    name: "a suspect is written whatever became of it",
    file: "core/parts/run_change.ts",
    find: 'if (run.due === undefined || run.due > now || bucketOf(run.state) !== "active") return {};',
    replace: "",
  },
];

/** Seeds a mutant may live through before it counts as a survivor. */
const seedsMax = 6_000;

const root = new URL("../../", import.meta.url);

async function copyTree(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyTree(new URL(`${entry.name}/`, from), new URL(`${entry.name}/`, to));
    else await Deno.copyFile(new URL(entry.name, from), new URL(entry.name, to));
  }
}

/** @returns What the simulator said of the mutant, or undefined when it saw nothing. */
async function tryMutant(mutant: Mutant, index: number): Promise<string | undefined> {
  const home = new URL(`.mutants/${index}/`, root);
  for (const room of ["core/", "adapters/memory/", "tests/simulation/"]) {
    await copyTree(new URL(room, root), new URL(room, home));
  }
  const file = new URL(mutant.file, home);
  const text = await Deno.readTextFile(file);
  if (text.split(mutant.find).length !== 2) {
    throw new Error(`Mutant "${mutant.name}": its text must stand exactly once in ${mutant.file}`);
  }
  await Deno.writeTextFile(file, text.replace(mutant.find, () => mutant.replace));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-config",
      new URL("tests/simulation/hunt.ts", home).pathname,
      String(seedsMax),
    ],
    stdout: "piped",
    stderr: "null",
  }).output();
  await Deno.remove(home, { recursive: true });
  return new TextDecoder().decode(stdout).trim() || undefined;
}

/** Runs every mutant, two at a time, and prints the table. @returns The exit code. */
export async function runMutants(): Promise<number> {
  const seen: (string | undefined)[] = [];
  const waiting = mutants.map((_, index) => index);
  const worker = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      seen[index] = await tryMutant(mutants[index]!, index);
    }
  };
  await Promise.all([worker(), worker()]);
  console.log("mutants:");
  mutants.forEach((mutant, index) => {
    console.log(`  ${seen[index] ? "caught  " : "SURVIVED"} ${mutant.name.padEnd(48)} ${seen[index] ?? ""}`);
  });
  const survivors = seen.filter((each) => !each).length;
  console.log(`${mutants.length - survivors} of ${mutants.length} mutants caught\n`);
  return survivors === 0 ? 0 : 1;
}
