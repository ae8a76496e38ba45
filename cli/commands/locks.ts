import type { LockHolderView, LockInfo, LockWaiterView } from "pawl";
import { given, readArguments, readChoice, readPlaces, readWhole, targetUsage } from "../arguments.ts";
import { type Command, CommandError, type Terminal } from "../command.ts";
import { confirm } from "../confirm.ts";
import { writeJson } from "../output/json.ts";
import { type Column, fields, table } from "../output/table.ts";
import { fullTimeText } from "../output/times.ts";
import { shown } from "../output/width.ts";
import { withTarget } from "../target/open.ts";
import type { Target } from "../target/target.ts";

const verbs = ["list", "show", "force-release"] as const;

const ownOptions = {
  namespace: { type: "string" },
  limit: { type: "string" },
  cursor: { type: "string" },
  token: { type: "string" },
  reason: { type: "string" },
  now: { type: "boolean", default: false },
  yes: { type: "boolean", short: "y", default: false },
} as const;

type Values = ReturnType<typeof readArguments<typeof ownOptions>>["values"];

/** Looks at locks, and takes them away. */
export const locks: Command = {
  name: "locks",
  summary: "Lists and shows locks, and takes them from their holders",
  usage: `usage: pawl locks [list] [--namespace NAME] [--limit N] [--cursor CURSOR]
       pawl locks show NAME [--namespace NAME]
       pawl locks force-release NAME [--namespace NAME] [--token N] [--reason TEXT] [--now] [--yes]

  --namespace NAME     where the lock's name is unique; default: default
  --token N            takes only the hold of this token; default: all holds
  --reason TEXT        kept in the history of a run that loses it
  --now                the next gets it before a run that holds it was told: until then two may take themselves
                       for its holder
  --yes, -y            asks nothing; without a terminal it must be given

With --db, force-release needs --definitions where a run is the holder.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, ownOptions);
    const [first = "list", ...rest] = positionals;
    const verb = readChoice(first, "locks", verbs);
    if (verb === "list") {
      readPlaces(rest, []);
      return await withTarget(values, terminal, (target) => listThem(target, values, terminal));
    }
    const [name] = readPlaces(rest, ["NAME"]);
    const act = verb === "show" ? showOne : release;
    return await withTarget(values, terminal, (target) => act(target, name, values, terminal));
  },
};

const placeOf = ({ namespace }: Values) => given({ namespace });

async function listThem(target: Target, values: Values, terminal: Terminal): Promise<number> {
  const limit = values.limit === undefined ? undefined : readWhole(values.limit, "--limit", 1, 1_000);
  const page = await target.locks.list({ ...placeOf(values), ...given({ limit, cursor: values.cursor }) });
  if (values.json) await writeJson(terminal, page);
  else if (page.items.length === 0) terminal.error("There is no lock that anybody has asked for.\n");
  else await terminal.out(table(page.items, lockColumns, terminal.columns));
  if (!values.json && page.cursor !== undefined) {
    terminal.error(`There may be more: --cursor '${page.cursor}'\n`);
  }
  return 0;
}

const lockColumns: readonly Column<Omit<LockInfo, "waiters">>[] = [
  { title: "NAMESPACE", text: (each) => each.namespace, canShrink: true },
  { title: "LOCK", text: (each) => each.name, canShrink: true },
  { title: "KIND", text: (each) => each.kind },
  { title: "PERMITS", text: (each) => String(each.permits), isRight: true },
  { title: "HELD BY", text: (each) => each.holders.map(whoText).join(", "), canShrink: true },
  { title: "WAITING", text: (each) => String(each.waiting), isRight: true },
];

const whoText = ({ holder, definition }: LockHolderView | LockWaiterView) =>
  definition === undefined ? holder : `${definition} ${holder}`;

async function inspect(target: Target, name: string, values: Values): Promise<LockInfo> {
  const found = await target.locks.inspect(name, placeOf(values));
  if (found) return found;
  const { namespace = "default" } = values;
  throw new CommandError(
    "NOT_FOUND",
    `Nobody has ever asked for lock "${name}" of namespace "${namespace}" in ${target.name}`,
  );
}

async function showOne(target: Target, name: string, values: Values, terminal: Terminal): Promise<number> {
  const found = await inspect(target, name, values);
  if (values.json) await writeJson(terminal, found);
  else await terminal.out(lockText(found, terminal.now()));
  return 0;
}

function lockText(lock: LockInfo, now: Date): string {
  const holder = (each: LockHolderView) =>
    `${shown(whoText(each))}, token ${each.token}, since ${fullTimeText(each.since, now)}` +
    `${each.until ? `, until ${fullTimeText(each.until, now)}` : ""}`;
  const waiter = (each: LockWaiterView) =>
    `${each.position}. ${shown(whoText(each))}, since ${fullTimeText(each.since, now)}`;
  return fields([
    ["lock", shown(lock.name)],
    ["namespace", shown(lock.namespace)],
    ["kind", lock.kind],
    ["permits", String(lock.permits)],
    ["last token", String(lock.lastToken)],
    ["holders", lock.holders.map(holder).join("\n")],
    ["waiting", String(lock.waiting)],
    ["waiters", lock.waiters.map(waiter).join("\n")],
  ]);
}

async function release(target: Target, name: string, values: Values, terminal: Terminal): Promise<number> {
  const token = values.token === undefined ? undefined : readWhole(values.token, "--token", 0);
  const { holders } = await inspect(target, name, values);
  const held = holders.filter((each) => token === undefined || each.token === token);
  if (held.length > 0) {
    const from = held.map((each) => shown(whoText(each))).join(", ");
    await confirm(
      terminal,
      `This is about to take lock "${shown(name)}" in ${target.name} from ${from}`,
      values.yes,
    );
  }
  const released = held.length === 0 ? 0 : await target.locks.forceRelease(name, {
    ...placeOf(values),
    ...given({ token, reason: values.reason }),
    ...(values.now && { force: true }),
  });
  if (values.json) await writeJson(terminal, { released });
  else await terminal.out(`${released} ${released === 1 ? "hold" : "holds"} released\n`);
  return 0;
}
