/**
 * The verbs of schedules, for any engine: what is changed is changed by compare-and-set, and the owner is told.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { fingerprint } from "../hash.ts";
import {
  backfillSchedule,
  deleteSchedule,
  enableSchedule,
  type NewSchedule,
  newSchedule,
  triggerSchedule,
  updateSchedule,
} from "../parts/schedule_edit.ts";
import type { ScheduleChange } from "../parts/schedule_landing.ts";
import type { ScheduleRecord } from "../parts/schedule_record.ts";
import { slotAt, type SlotsAfter } from "../parts/schedule_slots.ts";
import type { Definition } from "./behaviour.ts";
import { checkName, checkOptionNames } from "./check_input.ts";
import { definitionOf, type EngineContext, openPayload } from "./context.ts";
import { writeData } from "./data_rules.ts";
import {
  checkOverlap,
  defaultRules,
  differences,
  refused,
  rulesOf,
  settingNames,
  timeOf,
} from "./schedule_input.ts";
import { listOutcomes, listSchedules } from "./schedule_list.ts";
import { changeSchedule, readSchedule, slotsOf } from "./schedule_store.ts";
import type { ScheduleChanges, ScheduleOptions, ScheduleVerbs, ScheduleView } from "./schedule_types.ts";
import { describeSchedule, scheduleView } from "./schedule_view.ts";
import { givenText } from "./trigger.ts";
import type { Work } from "./work.ts";

type Names = Readonly<Record<string, true>>;
const updateNames: Names = /* @__PURE__ */ Object.assign(
  { data: true, enabled: true, note: true } as const,
  settingNames,
);
const createNames: Names = /* @__PURE__ */ Object.assign({ id: true, target: true } as const, updateNames);

/** `engine.schedules`. */
export function schedulesOf(context: EngineContext, work: Work): ScheduleVerbs {
  const verbs = new Verbs(context, work);
  return {
    create: (options) => verbs.create(options),
    update: (id, changes) => verbs.update(id, changes),
    pause: (id, options = {}) => verbs.enable(id, false, options.note),
    unpause: (id, options = {}) => verbs.enable(id, true, options.note, options.catchUp),
    trigger: (id, options = {}) => verbs.trigger(id, options.overlap),
    backfill: (id, range) => verbs.backfill(id, range),
    delete: async (id) => void await verbs.change("delete", id, deleteSchedule),
    async get(id) {
      const held = await verbs.find("get", id);
      return held && scheduleView(held);
    },
    async describe(id) {
      const record = verbs.require("describe", id, await verbs.find("describe", id));
      const data = JSON.parse(await openPayload(context, record));
      return describeSchedule(record, verbs.slots(record), data);
    },
    async list(query = {}) {
      work.require("list schedules");
      return await listSchedules(context, query);
    },
    async outcomes(id, query = {}) {
      verbs.require("list outcomes of", id, await verbs.find("list outcomes of", id));
      return await listOutcomes(context, id, query);
    },
  };
}

class Verbs {
  readonly #context: EngineContext;
  readonly #work: Work;

  constructor(context: EngineContext, work: Work) {
    this.#context = context;
    this.#work = work;
  }

  async create<Data, Status extends string, Start extends string>(
    options: ScheduleOptions<Data, Status, Start>,
  ): Promise<{ readonly created: boolean; readonly schedule: ScheduleView }> {
    this.#work.require("create schedule");
    const { limits, clock, random } = this.#context;
    checkOptionNames("schedules.create", options, createNames);
    const { id, target, data, enabled = true, note } = options;
    checkName(id, "schedule id", limits.nameLengthMax);
    const definition = definitionOf(this.#context, target?.name);
    const before = { ...defaultRules, data: fingerprint(givenText(this.#context, data)) };
    const rules = rulesOf(this.#context, definition, id, before, options);
    const payload = await this.#payload(definition, id, data);
    const wish: NewSchedule = {
      id,
      definition: definition.name,
      life: random.hex(10),
      rules,
      payload,
      isEnabled: enabled,
      note: this.#cut(note),
    };
    const slots = this.slots(wish);
    let created = false;
    const held = await changeSchedule(this.#context, this.#work.ownership, id, (held) => {
      created = false;
      const isThere = held && held.record.deletedAt === undefined;
      if (isThere) return void checkSame(held.record, wish);
      const after = newSchedule(wish, slots, clock.now(), held?.record);
      if (!after.next) throw refused(id, "its recurrence has no occurrence to come");
      created = true;
      return { after, outcomes: [] };
    });
    return { created, schedule: scheduleView(held!.record) };
  }

  #payload(definition: Definition, id: string, data: unknown) {
    const payload = writeData(this.#context, definition.behaviour.data, data, `schedule "${id}"`);
    return Promise.resolve(payload).then((each) => ({
      ...each,
      version: each.version ?? definition.behaviour.data.version,
    }));
  }

  #cut(note: string | undefined): string | undefined {
    return note === undefined ? undefined : String(note).slice(0, this.#context.limits.messageLengthMax);
  }

  /** The times of a schedule. */
  slots({ rules }: Pick<ScheduleRecord, "rules">): SlotsAfter {
    return slotsOf(this.#context, rules);
  }

  async find(verb: string, id: string): Promise<ScheduleRecord | undefined> {
    this.#work.require(`${verb} schedule`);
    checkName(id, "schedule id", this.#context.limits.nameLengthMax);
    const held = await readSchedule(this.#context, id);
    return held?.record.deletedAt === undefined ? held?.record : undefined;
  }

  require(verb: string, id: string, record: ScheduleRecord | undefined): ScheduleRecord {
    if (record && record.deletedAt === undefined) return record;
    throw new PawlError(
      "SCHEDULE_NOT_FOUND",
      `Cannot ${verb} schedule: there is none with id ${JSON.stringify(id)}`,
    );
  }

  async change(
    verb: string,
    id: string,
    changeOf: (schedule: ScheduleRecord, now: number) => ScheduleChange | undefined,
  ): Promise<ScheduleRecord> {
    this.#work.require(`${verb} schedule`);
    const { limits, clock } = this.#context;
    checkName(id, "schedule id", limits.nameLengthMax);
    const held = await changeSchedule(
      this.#context,
      this.#work.ownership,
      id,
      (held) => changeOf(this.require(verb, id, held?.record), clock.now()),
    );
    return held!.record;
  }

  async update(id: string, changes: ScheduleChanges): Promise<ScheduleView> {
    checkOptionNames("schedules.update", changes, updateNames);
    const { definition: name } = this.require("update", id, await this.find("update", id));
    const definition = definitionOf(this.#context, name);
    const { data, enabled, note } = changes;
    const payload = data === undefined ? undefined : await this.#payload(definition, id, data);
    const fresh = data !== undefined && { data: fingerprint(givenText(this.#context, data)) };
    const { missedCountMax } = this.#context.limits;
    const record = await this.change("update", id, (schedule, now) => {
      const before = { ...schedule.rules, ...fresh };
      const rules = rulesOf(this.#context, definition, id, before, changes);
      const slots = { before: this.#slotsIfKnown(schedule), after: this.slots({ rules }) };
      if (changes.recurrence && !slotAt({ id, rules }, slots.after, now)) {
        throw refused(id, "its recurrence has no occurrence to come");
      }
      const update = {
        rules,
        payload,
        isEnabled: enabled ?? schedule.isEnabled,
        note: note === undefined ? schedule.note : this.#cut(note),
      };
      return updateSchedule(schedule, update, slots, now, missedCountMax);
    });
    return scheduleView(record);
  }

  #slotsIfKnown(schedule: ScheduleRecord): SlotsAfter | undefined {
    try {
      return this.slots(schedule);
    } catch (error) {
      if (error instanceof PawlError && /_RECURRENCE$/.test(error.code)) return undefined;
      throw error;
    }
  }

  async enable(id: string, isEnabled: boolean, note?: string, catchUp = true): Promise<ScheduleView> {
    const countMax = this.#context.limits.missedCountMax;
    const record = await this.change(isEnabled ? "unpause" : "pause", id, (schedule, now) => {
      const past = catchUp ? undefined : { slots: this.slots(schedule), countMax };
      return enableSchedule(schedule, { isEnabled, note: this.#cut(note) }, now, past);
    });
    return scheduleView(record);
  }

  async trigger(id: string, overlap: ScheduleRecord["rules"]["overlap"] | undefined) {
    const { occurrencesWaitingMax: waitingMax } = this.#context.limits;
    let at = 0;
    await this.change("trigger", id, (schedule, now) => {
      if (overlap !== undefined) checkOverlap(id, overlap, schedule.rules.key);
      const change = triggerSchedule(schedule, this.slots(schedule), now, { overlap, waitingMax });
      at = change.at;
      return change;
    });
    return { scheduledFor: new Date(at) };
  }

  async backfill(id: string, range: Parameters<ScheduleVerbs["backfill"]>[1]): Promise<void> {
    const { overlap = "bufferAll" } = range;
    const [from, until] = [timeOf(id, "from", range.from), timeOf(id, "until", range.until)];
    if (typeof from !== "number" || typeof until !== "number" || from > until) {
      throw refused(id, "a backfill wants `from` and `until`, in this order");
    }
    await this.change("backfill", id, (schedule, now) => {
      if (until > now) throw refused(id, "a backfill is of the past: `until` is yet to come");
      checkOverlap(id, overlap, schedule.rules.key);
      return backfillSchedule(schedule, this.slots(schedule), now, { from, until, overlap });
    });
  }
}

/** The same schedule as it was asked for, or as it is by now. */
function checkSame(schedule: ScheduleRecord, wish: NewSchedule): void {
  const { rules, asked = rules } = schedule;
  const others = schedule.definition === wish.definition ? [] : ["target"];
  const differing = [...others, ...differences(asked, wish.rules)];
  if (differing.length === 0) return;
  if (others.length === 0 && differences(rules, wish.rules).length === 0) return;
  throw new PawlError(
    "SCHEDULE_EXISTS",
    `Cannot create schedule "${wish.id}": there is one that differs in ${differing.join(", ")}; ` +
      `update it, or use another id`,
  );
}
