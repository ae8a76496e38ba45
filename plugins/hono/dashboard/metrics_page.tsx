/**
 * How much the engine that serves this page does, and how far it is behind.
 *
 * @module
 */
import { useRef } from "preact/hooks";
import { ask, request } from "./api.ts";
import { Chart } from "./chart.tsx";
import { type Look, lookOf, looksMax, momentsOf, rateOf } from "./meter.ts";
import { Empty, ErrorNote, Loading, Panel } from "./parts.tsx";
import { usePolled } from "./poll.ts";
import { durationText } from "./time_text.ts";

/** They outlive the page, as a chart that begins anew with each visit tells little. */
const looks: Look[] = [];

/** Processes that are shown. */
const processesMax = 500;

function keep(look: Look): readonly Look[] {
  looks.push(look);
  if (looks.length > looksMax) looks.shift();
  return [...looks];
}

/** The page. */
export function MetricsPage() {
  const metrics = usePolled("metrics", async (signal) => {
    const text = await (await request("metrics", { signal })).text();
    return keep(lookOf(text, Date.now()));
  }, 2_000);
  const states = usePolled(
    "states",
    (signal) => ask<Readonly<Record<string, string>>>("states", { signal }),
    5_000,
  );
  const moments = momentsOf(metrics.data ?? looks);
  const values = (name: "steps" | "errors" | "created" | "ended" | "lag") =>
    moments.map((each) => each[name]);
  const times = moments.map(({ at }) => at);
  const slots = Math.max(30, moments.length);
  return (
    <>
      <div class="page-head">
        <h1>Metrics</h1>
        <span class="muted">of the engine that serves this page, since it is open</span>
      </div>
      {metrics.error && <ErrorNote error={metrics.error} retry={metrics.refresh} />}
      {!(metrics.error && looks.length === 0) && (
        <div class="charts">
          <Chart
            {...{ times, slots }}
            title="Runs"
            unit="/s"
            series={[
              { name: "created", tone: "accent", values: values("created") },
              { name: "ended", tone: "good", values: values("ended") },
            ]}
          />
          <Chart
            {...{ times, slots }}
            title="Attempts"
            unit="/s"
            series={[
              { name: "landed", tone: "accent", values: values("steps") },
              { name: "failed", tone: "bad", values: values("errors") },
            ]}
          />
          <Chart
            {...{ times, slots }}
            title="Lag"
            unit="s"
            series={[{ name: "furthest behind", tone: "accent", values: values("lag") }]}
          />
        </div>
      )}
      <Processes
        look={looks.at(-1)}
        before={looks.at(-6) ?? looks[0]}
        states={states.data}
        error={states.error}
      />
    </>
  );
}

function Processes(
  { look, before, states, error }: {
    readonly look: Look | undefined;
    readonly before: Look | undefined;
    readonly states: Readonly<Record<string, string>> | undefined;
    readonly error: Error | undefined;
  },
) {
  const index = useRef<WeakMap<Look, ReadonlyMap<string, number>>>(new WeakMap());
  const valueOf = (from: Look | undefined, metric: string, process: string) => {
    if (!from) return undefined;
    const known = index.current.get(from) ??
      new Map(from.samples.map(({ name, labels, value }) => [`${name} ${labels.process_name}`, value]));
    index.current.set(from, known);
    return known.get(`workflow_process_${metric} ${process}`);
  };
  const rate = (metric: string, process: string) => {
    const [a, b] = [valueOf(before, metric, process), valueOf(look, metric, process)];
    return rateOf(a ?? 0, b ?? 0, (look?.at ?? 0) - (before?.at ?? 0));
  };
  const meanMs = (process: string) => {
    const count = valueOf(look, "latency_seconds_count", process) ?? 0;
    return count === 0
      ? ""
      : durationText(((valueOf(look, "latency_seconds_sum", process) ?? 0) * 1_000) / count);
  };
  const names = Object.keys(states ?? {}).slice(0, processesMax);
  return (
    <Panel title="Processes">
      {error && <ErrorNote error={error} />}
      {!states && !error && <Loading what="processes" />}
      {states && names.length === 0 && <Empty>This engine carries no definition.</Empty>}
      {names.length > 0 && (
        <div class="table-box">
          <table class="processes">
            <caption class="sr-only">Processes</caption>
            <thead>
              <tr>
                <th scope="col">Process</th>
                <th scope="col" class="c-state">State</th>
                <th scope="col" class="num c-took">Lag</th>
                <th scope="col" class="num c-took wide-only">Landed</th>
                <th scope="col" class="num c-took wide-only">Mean</th>
                <th scope="col" class="num c-took">Failed</th>
              </tr>
            </thead>
            <tbody>
              {names.map((name) => {
                const failed = valueOf(look, "error_count", name) ?? 0;
                const isLate = (valueOf(look, "lag_alert", name) ?? 0) > 0;
                const lag = valueOf(look, "lag_seconds", name);
                return (
                  <tr key={name}>
                    <td class="clip" title={name}>{name}</td>
                    <td>
                      <span class={`badge process-${states![name]}`}>{states![name]}</span>
                    </td>
                    <td class={isLate ? "num bad" : "num"}>
                      {lag === undefined ? "–" : durationText(lag * 1_000)}
                    </td>
                    <td class="num wide-only">{rate("latency_seconds_count", name).toFixed(1)} /s</td>
                    <td class="num wide-only muted">{meanMs(name)}</td>
                    <td class={failed > 0 ? "num bad" : "num muted"}>{failed}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
