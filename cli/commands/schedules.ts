import type { OccurrenceView, ScheduleDescription, ScheduleView } from "pawl";
import { given, readArguments, readChoice, readPlaces, readWhole, targetUsage } from "../arguments.ts";
import { type Command, CommandError, type Terminal } from "../command.ts";
import { confirm } from "../confirm.ts";
import { writeJson } from "../output/json.ts";
import { painter } from "../output/paint.ts";
import { type Column, fields, table } from "../output/table.ts";
import { fullTimeText, lengthText, timeText } from "../output/times.ts";
import { shown } from "../output/width.ts";
import { withTarget } from "../target/open.ts";
import type { Target } from "../target/target.ts";

const verbs = ["list", "show", "outcomes", "pause", "unpause", "trigger", "delete"] as const;
const overlaps = ["skip", "bufferOne", "bufferAll", "cancelOther", "terminateOther", "allowAll"] as const;

const ownOptions = {
  definition: { type: "string" },
  limit: { type: "string" },
  cursor: { type: "string" },
  note: { type: "string" },
  "no-catch-up": { type: "boolean", default: false },
  overlap: { type: "string" },
  yes: { type: "boolean", short: "y", default: false },
} as const;

type Values = ReturnType<typeof readArguments<typeof ownOptions>>["values"];

/** Looks at schedules, and takes a hand in them. */
export const schedules: Command = {
  name: "schedules",
  summary: "Lists, shows, pauses, unpauses, triggers and deletes schedules",
  usage: `usage: pawl schedules [list] [--definition NAME] [--limit N] [--cursor CURSOR]
       pawl schedules show ID
       pawl schedules outcomes ID [--limit N] [--cursor CURSOR]
       pawl schedules pause ID [--note TEXT]
       pawl schedules unpause ID [--note TEXT] [--no-catch-up]
       pawl schedules trigger ID [--overlap ${overlaps.join("|")}]
       pawl schedules delete ID [--yes]

  --note TEXT          for whoever looks at it later
  --no-catch-up        what came up while it was paused is skipped
  --overlap POLICY     what happens while a run of it is unfinished; default: its own policy
  --yes, -y            asks nothing; without a terminal it must be given

With --db the times of a cron schedule need package croner, those of an rrule schedule rrule-temporal; types of
your own come from engineOptions of --definitions.
${targetUsage}`,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, ownOptions);
    const [given = "list", ...rest] = positionals;
    const verb = readChoice(given, "schedules", verbs);
    if (verb === "list") {
      readPlaces(rest, []);
      return await withTarget(values, terminal, (target) => listThem(target, values, terminal));
    }
    const [id] = readPlaces(rest, ["ID"]);
    return await withTarget(values, terminal, (target) => act(target, verb, id, values, terminal));
  },
};

function pageOf({ limit, cursor }: Values): { readonly limit?: number; readonly cursor?: string } {
  return given({ cursor, limit: limit === undefined ? undefined : readWhole(limit, "--limit", 1, 1_000) });
}

async function listThem(target: Target, values: Values, terminal: Terminal): Promise<number> {
  const verbs = await target.schedules();
  const page = await verbs.list({ ...pageOf(values), ...given({ definition: values.definition }) });
  await writePage(page, scheduleColumns(terminal), values, terminal);
  return 0;
}

async function act(
  target: Target,
  verb: Exclude<(typeof verbs)[number], "list">,
  id: string,
  values: Values,
  terminal: Terminal,
): Promise<number> {
  const schedules = await target.schedules();
  const note = given({ note: values.note });
  const told = async (view: ScheduleView) => {
    if (values.json) await writeJson(terminal, view);
    else await terminal.out(fields(viewFields(view, terminal)));
  };
  if (verb === "show") {
    const found = await schedules.describe(id);
    if (values.json) await writeJson(terminal, found);
    else await terminal.out(fields([...viewFields(found, terminal), ...moreFields(found)]));
  } else if (verb === "outcomes") {
    await writePage(await schedules.outcomes(id, pageOf(values)), outcomeColumns(terminal), values, terminal);
  } else if (verb === "pause") await told(await schedules.pause(id, note));
  else if (verb === "unpause") {
    await told(await schedules.unpause(id, { ...note, ...(values["no-catch-up"] && { catchUp: false }) }));
  } else if (verb === "trigger") {
    const overlap = values.overlap === undefined
      ? undefined
      : readChoice(values.overlap, "--overlap", overlaps);
    const triggered = await schedules.trigger(id, given({ overlap }));
    if (values.json) await writeJson(terminal, triggered);
    else await terminal.out(`an occurrence for ${triggered.scheduledFor.toISOString()}\n`);
  } else {
    if (!await schedules.get(id)) {
      throw new CommandError("SCHEDULE_NOT_FOUND", `There is no schedule "${id}" in ${target.name}`);
    }
    await confirm(terminal, `This is about to delete schedule "${shown(id)}" in ${target.name}`, values.yes);
    await schedules.delete(id);
    if (values.json) await writeJson(terminal, { deleted: id });
    else await terminal.out("deleted\n");
  }
  return 0;
}

async function writePage<Item>(
  page: { readonly items: readonly Item[]; readonly cursor?: string },
  columns: readonly Column<Item>[],
  values: Values,
  terminal: Terminal,
): Promise<void> {
  if (values.json) return await writeJson(terminal, page);
  if (page.items.length === 0) terminal.error("There is none.\n");
  else await terminal.out(table(page.items, columns, terminal.columns));
  if (page.cursor !== undefined) terminal.error(`There may be more: --cursor '${page.cursor}'\n`);
}

/** `cron` and what it is made of. */
function recurrenceText({ recurrence: { type, spec } }: ScheduleView): string {
  return `${type} ${JSON.stringify(spec)}`;
}

function scheduleColumns(terminal: Terminal): readonly Column<ScheduleView>[] {
  const [now, paint] = [terminal.now(), painter(terminal)];
  return [
    { title: "SCHEDULE", text: (each) => each.id },
    { title: "DEFINITION", text: (each) => each.definition, canShrink: true },
    { title: "KEY", text: (each) => each.key, canShrink: true },
    { title: "RECURRENCE", text: recurrenceText, canShrink: true },
    {
      title: "IS",
      text: (each) => each.enabled ? "on" : "paused",
      paint: (text, each) => paint(text, each.enabled ? "green" : "yellow"),
    },
    { title: "NEXT", text: (each) => timeText(each.next, now, terminal.isTerminal) },
    { title: "STARTED", text: (each) => String(each.counts.started), isRight: true },
    { title: "MISSED", text: (each) => String(each.counts.missed), isRight: true },
    { title: "FAILED", text: (each) => String(each.counts.failed), isRight: true },
    { title: "NOTE", text: (each) => each.note, canShrink: true },
  ];
}

function viewFields(view: ScheduleView, terminal: Terminal): [string, string | undefined][] {
  const [now, paint] = [terminal.now(), painter(terminal)];
  const { counts } = view;
  return [
    ["schedule", shown(view.id)],
    ["definition", shown(view.definition)],
    ["key", shown(view.key)],
    ["is", view.enabled ? paint("on", "green") : paint("paused", "yellow")],
    ["note", view.note && shown(view.note)],
    ["recurrence", shown(recurrenceText(view))],
    ["overlap", view.overlap],
    ["catch-up", lengthText(view.catchUpMs)],
    ["jitter", view.jitterMs > 0 ? lengthText(view.jitterMs) : undefined],
    ["filter", view.filter && shown(view.filter)],
    ["from", fullTimeText(view.from, now)],
    ["until", fullTimeText(view.until, now)],
    ["starts left", view.startsLeft?.toString()],
    ["next", fullTimeText(view.next, now)],
    [
      "counts",
      `${counts.started} started, ${counts.skipped} skipped, ${counts.missed} missed, ${counts.failed} failed`,
    ],
    ["created", fullTimeText(view.createdAt, now)],
    ["changed", fullTimeText(view.updatedAt, now)],
  ];
}

function moreFields(view: ScheduleDescription): [string, string | undefined][] {
  const lines = <Item>(items: readonly Item[], text: (item: Item) => string) => items.map(text).join("\n");
  return [
    ["upcoming", lines(view.upcoming, (each) => each.toISOString())],
    ["running", lines(view.running, (each) => `${each.scheduledFor.toISOString()} ${each.runId}`)],
    ["waiting", lines(view.waiting, (each) => `${each.scheduledFor.toISOString()} by ${each.by}`)],
    [
      "results",
      lines(view.results, (each) => `${each.scheduledFor.toISOString()} ${each.runId} ${each.runState}`),
    ],
    [
      "backfills",
      lines(
        view.backfills,
        (each) => `${each.from.toISOString()} to ${each.until.toISOString()}, at ${each.at.toISOString()}`,
      ),
    ],
    ["data", shown(JSON.stringify(view.data) ?? "")],
  ];
}

function outcomeColumns(terminal: Terminal): readonly Column<OccurrenceView>[] {
  const paint = painter(terminal);
  return [
    { title: "FOR", text: (each) => each.scheduledFor.toISOString() },
    {
      title: "OUTCOME",
      text: (each) =>
        each.several
          ? `${each.outcome} (${each.several.count}${each.several.isMore ? "+" : ""})`
          : each.outcome,
      paint: (text, each) => paint(text, each.outcome === "failed" ? "red" : undefined),
    },
    { title: "BY", text: (each) => each.by },
    { title: "RUN", text: (each) => each.runId },
    { title: "DECIDED", text: (each) => each.decidedAt.toISOString() },
    { title: "WHY", text: (each) => each.reason, canShrink: true },
  ];
}
