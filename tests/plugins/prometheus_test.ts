import assert from "node:assert/strict";
import fc from "fast-check";
import parseText from "parse-prometheus-text-format";
import { createEngine, type InstrumentOptions, machine, silentLogger } from "../../mod.ts";
import { type PrometheusTelemetry, prometheusTelemetry } from "../../plugins/prometheus/mod.ts";
import { testInMemory } from "../engine/stores.ts";

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: string;
}

interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metrics: readonly Sample[];
}

const parse = parseText as unknown as (text: string) => readonly ParsedFamily[];

/** Every sample of a page: the parser merges the series of a histogram, so it is not told which metric is one. */
function samplesOf(text: string): Map<string, string> {
  const plain = text.split("\n").filter((line) => !line.startsWith("# ")).join("\n");
  const samples = new Map<string, string>();
  for (const { name, metrics } of parse(plain)) {
    for (const { labels = {}, value } of metrics) {
      const id = sampleId(name, labels);
      assert(!samples.has(id), `${id} is there twice`);
      samples.set(id, value);
    }
  }
  return samples;
}

function sampleId(name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1)]);
}

const numberOf = (text: string | undefined) =>
  text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);

/** What a page must satisfy whatever is on it, as `promtool check metrics` has it. */
function checkPage(text: string): void {
  assert(text === "" || text.endsWith("\n"));
  const typed: string[] = [];
  const series = new Set<string>();
  let current = "";
  let kind = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const meta = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line);
    if (meta?.[1] === "TYPE") {
      assert(!typed.includes(meta[2]!), `${meta[2]} has two TYPE lines`);
      typed.push(current = meta[2]!);
      kind = meta[3]!;
    } else if (!meta) {
      const [, name, rest] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(.*)$/s.exec(line)!;
      const suffix = kind === "histogram" ? /(_bucket|_sum|_count)$/ : /$/;
      assert.equal(name!.replace(suffix, ""), current, `${line} is not below its TYPE line`);
      const id = name + rest!.slice(0, rest!.lastIndexOf(" "));
      assert(!series.has(id), `${id} is there twice`);
      series.add(id);
    }
  }
  assert.deepEqual(typed, [...typed].sort());
}

const labelNames = ["a", "b", "reason"];
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "{", "}", ",", "=", " ", "\r", "é", "\ud83d") }),
);
const anyLabels = fc.record({ a: anyText, b: anyText, reason: anyText });
const anyValue = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, Infinity, -Infinity, NaN));

Deno.test("render() is read back by another's parser as it was told", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(anyLabels, anyValue), { maxLength: 20 }),
    fc.array(fc.tuple(anyLabels, fc.double({ min: 0, max: 1e6, noNaN: true })), { maxLength: 20 }),
    anyText,
    anyText,
    (sets, adds, help, constant) => {
      const telemetry = prometheusTelemetry({ labels: { zone: constant } });
      const gauge = telemetry.gauge({ name: "g", help, labels: labelNames });
      const counter = telemetry.counter({ name: "c", help, labels: labelNames });
      const expected = new Map<string, number>();
      const idOf = (name: string, labels: Readonly<Record<string, string>>) => {
        const all = Object.entries({ ...labels, zone: constant });
        return sampleId(name, Object.fromEntries(all.map(([label, text]) => [label, text.toWellFormed()])));
      };
      for (const [labels, value] of sets) {
        gauge.set(value, labels);
        expected.set(idOf("g", labels), value);
      }
      for (const [labels, value] of adds) {
        counter.add(value, labels);
        expected.set(idOf("c", labels), (expected.get(idOf("c", labels)) ?? 0) + value);
      }
      const text = telemetry.render();
      checkPage(text);
      // As a scraper gets it.
      const read = samplesOf(new TextDecoder().decode(new TextEncoder().encode(text)));
      assert.deepEqual([...read.keys()].sort(), [...expected.keys()].sort());
      for (const [id, value] of expected) {
        const got = numberOf(read.get(id));
        assert(Object.is(got, value) || got === value, `${id}: got ${got}, want ${value}`);
      }
    },
  ));
});

Deno.test("render() gives histograms whose buckets add up to what was told", () => {
  // Half of them whole, so that values meet bounds.
  const within = (most: number) =>
    fc.oneof(fc.integer({ min: -most, max: most }), fc.double({ min: -most, max: most, noNaN: true }));
  const bounds = fc.uniqueArray(within(10), {
    minLength: 1,
    maxLength: 6,
  })
    .map((all) => [...new Set(all.map((each) => each + 0))].sort((a, b) => a - b));
  const values = fc.array(
    fc.tuple(fc.constantFrom("x", "y"), within(20)),
    { maxLength: 30 },
  );
  fc.assert(fc.property(bounds, values, (buckets, told) => {
    const telemetry = prometheusTelemetry();
    const histogram = telemetry.histogram({ name: "h", help: "H.", labels: ["l"], buckets });
    for (const [l, value] of told) histogram.record(value, { l });
    const text = telemetry.render();
    checkPage(text);
    const read = samplesOf(text);
    for (const l of new Set(told.map(([each]) => each))) {
      const own = told.filter(([each]) => each === l).map(([, value]) => value);
      for (const bound of [...buckets, Infinity]) {
        const le = bound === Infinity ? "+Inf" : String(bound);
        const below = own.filter((value) => value <= bound).length;
        assert.equal(Number(read.get(sampleId("h_bucket", { l, le }))), below);
      }
      assert.equal(Number(read.get(sampleId("h_count", { l }))), own.length);
      assert.equal(Number(read.get(sampleId("h_sum", { l }))), own.reduce((sum, each) => sum + each, 0));
    }
    assert.equal(read.size, new Set(told.map(([l]) => l)).size * (buckets.length + 3));
  }));
});

const plain: InstrumentOptions = { name: "m", help: "", labels: ["l"] };

Deno.test("render() has help and type of each metric, in one order whatever came first", () => {
  const page = (names: readonly string[]) => {
    const telemetry = prometheusTelemetry();
    for (const name of names) {
      const gauge = telemetry.gauge({ name, help: 'A "back\\slash"\nand a line', labels: ["l"] });
      for (const l of name === names[0] ? ["b", "a"] : ["a", "b"]) gauge.set(1, { l });
    }
    return telemetry.render();
  };
  assert.equal(page(["m", "k"]), page(["k", "m"]));
  const families = parse(page(["m", "k"]));
  assert.deepEqual(families.map(({ name, type, help }) => [name, type, help]), [
    ["k", "GAUGE", 'A "back\\slash"\nand a line'],
    ["m", "GAUGE", 'A "back\\slash"\nand a line'],
  ]);
});

Deno.test("series past seriesMax are added up as overflow, and those before go on", () => {
  const telemetry = prometheusTelemetry({ seriesMax: 2 });
  const counter = telemetry.counter(plain);
  for (const l of ["a", "b", "c", "d", "a", "c"]) counter.add(1, { l });
  const text = telemetry.render();
  checkPage(text);
  assert.deepEqual([...samplesOf(text)], [
    [sampleId("m", { l: "a" }), "2"],
    [sampleId("m", { l: "b" }), "1"],
    [sampleId("m", { l: "overflow" }), "3"],
  ]);
  // A series that has that name by itself is the same series, not another of the same labels.
  const named = prometheusTelemetry({ seriesMax: 1 });
  const gauge = named.gauge(plain);
  gauge.set(1, { l: "overflow" });
  gauge.set(2, { l: "more" });
  checkPage(named.render());
});

Deno.test("labels that differ in what cannot be written are one series", () => {
  const telemetry = prometheusTelemetry();
  const counter = telemetry.counter(plain);
  for (const l of ["\ud800", "\udbff", "\ufffd"]) counter.add(1, { l });
  const read = samplesOf(new TextDecoder().decode(new TextEncoder().encode(telemetry.render())));
  assert.deepEqual([...read], [[sampleId("m", { l: "\ufffd" }), "3"]]);
});

Deno.test("instruments of one name are one instrument, and of another shape are refused", () => {
  const telemetry = prometheusTelemetry();
  telemetry.counter(plain).add(1, { l: "a" });
  telemetry.counter({ ...plain, help: "said otherwise" }).add(1, { l: "a" });
  assert.equal(samplesOf(telemetry.render()).get(sampleId("m", { l: "a" })), "2");
  const refused = (make: () => unknown, says: RegExp) =>
    assert.throws(make, { code: "INVALID_ARGUMENT", message: says });
  refused(() => telemetry.gauge(plain), /"m" as .*gauge.*there is one/);
  refused(() => telemetry.counter({ ...plain, labels: ["l", "k"] }), /"m" as/);
  telemetry.histogram({ name: "h", help: "", labels: [], buckets: [1, 2] });
  refused(() => telemetry.histogram({ name: "h", help: "", labels: [], buckets: [1, 3] }), /"h" as/);
  refused(() => telemetry.counter({ ...plain, name: "h_sum" }), /both have "h_sum"/);
  telemetry.counter({ ...plain, name: "q_count" });
  refused(
    () => telemetry.histogram({ name: "q", help: "", labels: [], buckets: [1] }),
    /both have "q_count"/,
  );
});

Deno.test("names, labels, bounds and values that Prometheus would not take are refused", () => {
  const refused = (make: (telemetry: PrometheusTelemetry) => unknown) =>
    assert.throws(() => make(prometheusTelemetry({ labels: { zone: "z" } })), { code: "INVALID_ARGUMENT" });
  for (const name of ["", "1a", "a-b", "a b", "é"]) refused((each) => each.counter({ ...plain, name }));
  for (const label of ["", "1a", "a-b", "a:b", "__name__", "le", "zone"]) {
    refused((each) => each.counter({ ...plain, labels: [label] }));
  }
  refused((each) => each.counter({ ...plain, labels: ["l", "l"] }));
  for (const buckets of [[2, 1], [1, 1], [NaN], [-Infinity, 1]]) {
    refused((each) => each.histogram({ ...plain, buckets }));
  }
  refused((each) => each.counter(plain).add(-1, { l: "a" }));
  refused((each) => each.counter(plain).add(NaN, { l: "a" }));
  for (const seriesMax of [0, 1.5, NaN]) {
    assert.throws(() => prometheusTelemetry({ seriesMax }), { code: "INVALID_ARGUMENT" });
  }
  assert.throws(() => prometheusTelemetry({ labels: { "a-b": "x" } }), { code: "INVALID_ARGUMENT" });
});

testInMemory("a page of an engine tells what the engine did, and is well formed", async (world) => {
  const telemetry = prometheusTelemetry({ labels: { engine: "worker-1" } });
  const odd = machine('or"ders\n\\').step("pläced", ["z"], (run) => {
    if (run.attempt === 1) throw new Error("no");
    return "z";
  }, { retry: { initial: "1s" } }).build();
  const engine = createEngine({
    store: world.store,
    clock: world.clock,
    definitions: [odd],
    telemetry,
    logger: silentLogger,
  });
  await world.during(engine.start());
  await engine.trigger(odd, "k");
  await world.advance(2_000);
  await world.during(engine.stop());
  const text = telemetry.render();
  checkPage(text);
  const read = samplesOf(text);
  const labels = {
    engine: "worker-1",
    workflow_name: 'or"ders\n\\',
    process_name: 'or"ders\n\\-pläced-consumer-1-of-1',
  };
  assert.equal(read.get(sampleId("workflow_process_error_count", labels)), "1");
  assert.equal(read.get(sampleId("workflow_process_latency_seconds_count", labels)), "1");
  assert.equal(read.get(sampleId("workflow_process_states", labels)), "1");
});
