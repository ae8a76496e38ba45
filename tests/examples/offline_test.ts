import assert from "node:assert/strict";
import { silentLogger } from "../../mod.ts";
import { testEngine } from "../../core/testing/mod.ts";
import {
  type Answer,
  type Inspection,
  inspectionMachine,
  problemsOf,
  type Services,
} from "../../examples/offline/app/inspection.ts";
import { openOffice } from "../../examples/offline/server.ts";

const good: Inspection = {
  asset: "PU-101",
  inspector: "Ann",
  results: { guards: "ok", leaks: "defect", labels: "ok", stop: "ok" },
  notes: "Drips",
  inspectedAt: "2026-01-01T08:00:00Z",
};

/** A device and an office that write down what they are asked for. */
function surroundings(answers: readonly (Answer | Error)[] = []) {
  const asked: string[] = [];
  const next = (what: string): Answer => {
    asked.push(what);
    const answer = answers[asked.filter((each) => /^(upload|send)/.test(each)).length - 1];
    if (answer instanceof Error) throw answer;
    return answer ?? { receivedAt: "2026-01-01T09:00:00Z" };
  };
  const services: Services = {
    packPhoto: (id) => Promise.resolve(void asked.push(`pack ${id}`)),
    uploadPhoto: async (id) => await next(`upload ${id}`),
    sendInspection: async (_, { asset }) => await next(`send ${asset}`),
    dropPhoto: (id) => Promise.resolve(void asked.push(`drop ${id}`)),
  };
  return { asked, machine: inspectionMachine(services) };
}

/** An engine whose network comes and goes. */
async function started(machine: ReturnType<typeof inspectionMachine>) {
  let isOnline = true;
  const listeners = new Set<() => void>();
  const platform = {
    isOnline: () => isOnline,
    readiness: () => "active" as const,
    watch: (onChange: () => void) => {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
  };
  const setOnline = (next: boolean) => {
    isOnline = next;
    for (const listener of listeners) listener();
  };
  return { ...await testEngine({ definitions: [machine], platform, logger: silentLogger }), setOnline };
}

Deno.test("an inspection with a photo is packed, uploaded, sent, and its photo dropped", async () => {
  const { asked, machine } = surroundings();
  const { engine, clock, stop } = await started(machine);
  await engine.trigger(machine, "a", { data: { ...good, photo: "a" } });
  await clock.advance("1m");
  const run = await engine.get(machine, "a");
  assert.deepEqual([run?.runState, run?.status], ["completed", "sent"]);
  assert.equal(run?.data.receivedAt, "2026-01-01T09:00:00Z");
  assert.deepEqual(asked, ["pack a", "upload a", "send PU-101", "drop a"]);
  await stop();
});

Deno.test("an inspection waits for the network without an attempt, and is sent when it is back", async () => {
  const { asked, machine } = surroundings();
  const { engine, clock, stop, setOnline } = await started(machine);
  setOnline(false);
  await engine.trigger(machine, "a", { data: { ...good, photo: "a" } });
  await clock.advance("3d");
  const waiting = await engine.get(machine, "a");
  assert.deepEqual([waiting?.status, waiting?.attempt, asked], ["packed", 0, ["pack a"]]);
  setOnline(true);
  await clock.advance("1s");
  assert.equal((await engine.get(machine, "a"))?.status, "sent");
  await stop();
});

Deno.test("an inspection that the office cannot take yet is tried again by itself", async () => {
  const { asked, machine } = surroundings([new Error("503"), new Error("503")]);
  const { engine, clock, stop } = await started(machine);
  await engine.trigger(machine, "a", { data: good });
  await clock.advance("1m");
  assert.equal((await engine.get(machine, "a"))?.status, "sent");
  assert.deepEqual(asked, ["send PU-101", "send PU-101", "send PU-101"]);
  await stop();
});

Deno.test("an inspection that the office refuses waits for a correction, and is then sent", async () => {
  const { asked, machine } = surroundings([{ refused: "no such asset" }]);
  const { engine, clock, stop } = await started(machine);
  await engine.trigger(machine, "a", { data: { ...good, asset: "XX-999" } });
  await clock.advance("30d");
  const refused = await engine.get(machine, "a");
  assert.deepEqual([refused?.status, refused?.data.refusal], ["refused", "no such asset"]);
  await engine.callback(machine, "a", "refused", { asset: "PU-101" });
  await clock.advance("1m");
  const run = await engine.get(machine, "a");
  assert.deepEqual([run?.status, run?.data.refusal, run?.data.notes], ["sent", undefined, "Drips"]);
  assert.deepEqual(asked, ["send XX-999", "send PU-101"]);
  await stop();
});

Deno.test("an inspection that is discarded drops its photo", async () => {
  const { asked, machine } = surroundings([{ refused: "no" }]);
  const { engine, clock, stop } = await started(machine);
  await engine.trigger(machine, "a", { data: { ...good, photo: "a" } });
  await clock.advance("1m");
  await engine.cancel(machine, "a");
  await clock.advance("1m");
  assert.deepEqual(asked, ["pack a", "upload a", "drop a"]);
  await stop();
});

Deno.test("an inspection names each field that is not as it should be", () => {
  const names = (change: Partial<Inspection>) => [...problemsOf({ ...good, ...change }).keys()];
  assert.deepEqual(names({}), []);
  assert.deepEqual(names({ asset: "pump", inspector: "" }), ["asset", "inspector"]);
  assert.deepEqual(names({ results: {}, notes: "" }), ["guards", "leaks", "labels", "stop"]);
  assert.deepEqual(names({ notes: "" }), ["notes"]);
});

async function withOffice(
  run: (
    office: Awaited<ReturnType<typeof openOffice>>,
    reopen: () => ReturnType<typeof openOffice>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/index.html`, "the app");
  const open = () => openOffice({ folder, archive: `${folder}/archive`, assets: new Set(["PU-101"]) });
  try {
    await run(await open(), open);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const post = (runId: string | undefined, inspection: unknown) =>
  new Request("http://office/inspections", {
    method: "POST",
    headers: runId === undefined ? {} : { "idempotency-key": runId },
    body: JSON.stringify(inspection),
  });

Deno.test("the office takes an inspection once, however often it is sent, also after a restart", async () => {
  await withOffice(async ({ answer, received }, reopen) => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => answer(post("run-1", good))));
    const texts = await Promise.all(answers.map((each) => each.text()));
    assert.equal(new Set(texts).size, 1);
    assert.deepEqual([...received.values()].map(({ inspection }) => inspection), [good]);
    const again = await reopen();
    assert.equal(await (await again.answer(post("run-1", good))).text(), texts[0]);
    assert.equal(again.received.size, 1);
  });
});

Deno.test("the office refuses what it cannot use, and serves its files only", async () => {
  await withOffice(async ({ answer, received }) => {
    const status = async (request: Request) => {
      const response = await answer(request);
      await response.body?.cancel();
      return response.status;
    };
    const get = (path: string) => new Request(`http://office${path}`);
    assert.equal(await status(post(undefined, good)), 400);
    assert.equal(await status(post("run-1", { ...good, asset: "XX-999" })), 422);
    assert.equal(await status(get("/")), 200);
    assert.equal(await status(get("/archive/inspections.ndjson")), 404);
    assert.equal(await status(get("/..%2fdeno.json")), 404);
    assert.equal(await status(new Request("http://office/inspections", { method: "DELETE" })), 405);
    assert.equal(received.size, 0);
  });
});
