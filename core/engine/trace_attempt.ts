import type { Landing } from "../parts/landing.ts";
import type { RunRecord } from "../parts/run_record.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Code } from "./attempt_call.ts";

/**
 * Runs one attempt within a span of its own.
 *
 * @param record The run as the attempt found it.
 * @param code Which code: the step's, or a timer's.
 * @param attempt Runs it; it never throws.
 * @param thrown What the code threw, asked once it has ended.
 * @returns What it came to.
 */
export type AttemptTracer = (
  record: RunRecord,
  code: Code,
  attempt: () => Landing | Promise<Landing>,
  thrown: () => unknown,
) => Landing | Promise<Landing>;

/**
 * @param telemetry Makes the spans.
 * @returns What traces attempts with it; `undefined`: it makes no spans.
 */
export function tracer(telemetry: Telemetry): AttemptTracer | undefined {
  const { span } = telemetry;
  return span && ((...attempt) => traceAttempt(span, ...attempt));
}

function traceAttempt(
  start: NonNullable<Telemetry["span"]>,
  ...[record, code, attempt, thrown]: Parameters<AttemptTracer>
): ReturnType<AttemptTracer> {
  const span = start({
    name: `${record.definition} ${record.status}${code.timer === undefined ? "" : ` ${code.timer}`}`,
    runId: record.id,
    key: record.key,
    attributes: {
      "pawl.definition": record.definition,
      "pawl.status": record.status,
      "pawl.run_id": record.id,
      "pawl.step_id": `${record.id}:${record.visit}${code.name === undefined ? "" : `:${code.name}`}`,
      "pawl.attempt": code.attempt + 1,
      ...(code.timer !== undefined && { "pawl.timeout": code.timer }),
    },
  });
  const end = (landing: Landing): Landing => {
    const attributes = {
      "pawl.result": landing.kind,
      ...(landing.kind === "move" && { "pawl.to": landing.to }),
      ...(landing.kind === "error" && landing.error.code !== undefined && {
        "pawl.error_code": landing.error.code,
      }),
    };
    span.end(landing.kind === "error" ? { attributes, error: thrown() ?? landing.error } : { attributes });
    return landing;
  };
  const landing = span.run(attempt);
  return landing instanceof Promise ? landing.then(end) : end(landing);
}
