/**
 * Asking again and again while somebody looks.
 *
 * @module
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useSettings } from "./settings.ts";

/** What has been asked for. */
export interface Polled<Answer> {
  /** The last good answer; absent: there was none yet. */
  readonly data: Answer | undefined;
  /** What the last request failed with. */
  readonly error: Error | undefined;
  /** `data` answers what was asked before. */
  readonly isStale: boolean;
  refresh(): void;
}

/** Longest wait after requests that fail. */
const backoffMsMax = 30_000;

/** As long as no answer says how long. */
const firstMs = 2_000;

/**
 * Asks at once, and then again and again while the page is visible and live.
 *
 * @param question What is asked: when it changes, it is asked anew, and the old answer stays until the new one is there.
 * @param load Asks.
 * @param every How many milliseconds after an answer it is asked again; 0: never.
 */
export function usePolled<Answer>(
  question: string,
  load: (signal: AbortSignal) => Promise<Answer>,
  every: number | ((answer: Answer) => number) = 3_000,
): Polled<Answer> {
  const { live } = useSettings();
  const [state, setState] = useState<{ data?: Answer; error?: Error | undefined; question?: string }>({});
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const latestEvery = useRef(every);
  latestEvery.current = every;

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let isAsking = false;
    let everyMs = typeof every === "number" ? every : firstMs;
    async function look() {
      if (isAsking) return;
      isAsking = true;
      clearTimeout(timer);
      try {
        const data = await latest.current(abort.signal);
        if (abort.signal.aborted) return;
        failures = 0;
        if (typeof latestEvery.current === "function") everyMs = latestEvery.current(data);
        setState({ data, question });
      } catch (error) {
        if (abort.signal.aborted) return;
        failures++;
        // An answer to another question says nothing of this one.
        setState((before) => ({
          ...before.question === question && before,
          error: error as Error,
          question,
        }));
      } finally {
        isAsking = false;
      }
      const waitMs = failures === 0
        ? everyMs
        : Math.min(backoffMsMax, Math.max(everyMs, 1_000) * 2 ** failures);
      if (everyMs > 0 && live && !document.hidden) timer = setTimeout(look, waitMs);
    }
    function wake() {
      if (everyMs > 0 && live && !document.hidden) look();
    }
    document.addEventListener("visibilitychange", wake);
    look();
    return () => {
      document.removeEventListener("visibilitychange", wake);
      clearTimeout(timer);
      abort.abort();
    };
  }, [question, typeof every === "number" && every, live, round]);

  const refresh = useCallback(() => setRound((round) => round + 1), []);
  useEffect(() => {
    addEventListener("pawl-refresh", refresh);
    return () => removeEventListener("pawl-refresh", refresh);
  }, []);
  return { data: state.data, error: state.error, isStale: state.question !== question, refresh };
}

/** Lets all that is shown be asked for again, as something was changed. */
export function refreshAll(): void {
  dispatchEvent(new Event("pawl-refresh"));
}
