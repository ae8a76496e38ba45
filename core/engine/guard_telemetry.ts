import type { Logger } from "../ports/logger.ts";
import type { Span, SpanEnd, SpanStart, Telemetry } from "../ports/telemetry.ts";

/** What becomes of a span whose telemetry failed at its start. */
const noSpan: Span = { run: (body) => body(), end: () => {} };

/**
 * Makes a telemetry harmless: what throws while it measures or traces loses that measurement, and the engine logs it
 * once. What throws while an instrument is made still throws, as it is the set-up that is wrong.
 *
 * @param telemetry As it was given.
 * @param logger Where the first failure goes.
 * @returns One whose instruments never throw.
 */
export function guardTelemetry(telemetry: Telemetry, logger: Logger): Telemetry {
  let isLogged = false;
  const heed = (error: unknown) => {
    if (isLogged) return;
    isLogged = true;
    logger.log("error", "The telemetry failed; measurements are lost, and this is not told again", {
      error: String(error),
    });
  };
  const guard = <Args extends readonly unknown[]>(act: (...args: Args) => void) => (...args: Args) => {
    try {
      act(...args);
    } catch (error) {
      heed(error);
    }
  };
  return {
    counter(options) {
      const counter = telemetry.counter(options);
      return { add: guard((by, labels) => counter.add(by, labels)) };
    },
    gauge(options) {
      const gauge = telemetry.gauge(options);
      return { set: guard((value, labels) => gauge.set(value, labels)) };
    },
    histogram(options) {
      const histogram = telemetry.histogram(options);
      return { record: guard((value, labels) => histogram.record(value, labels)) };
    },
    ...(telemetry.span && {
      span(start: SpanStart): Span {
        try {
          return guardSpan(telemetry.span!(start), heed);
        } catch (error) {
          heed(error);
          return noSpan;
        }
      },
    }),
  };
}

/** The code of a span runs once, whatever its telemetry does before and after. */
function guardSpan(span: Span, heed: (error: unknown) => void): Span {
  return {
    run<Value>(body: () => Value): Value {
      let ran: { readonly value: Value } | undefined;
      try {
        span.run(() => ran = { value: body() });
      } catch (error) {
        heed(error);
      }
      return (ran ?? { value: body() }).value;
    },
    end(end: SpanEnd): void {
      try {
        span.end(end);
      } catch (error) {
        heed(error);
      }
    },
  };
}
