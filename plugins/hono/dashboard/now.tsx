/**
 * Times that tell how long ago they were, and go on telling it.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { useSettings } from "./settings.ts";
import { absoluteText, exactText, relativeText } from "./time_text.ts";

const listeners = new Set<(now: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The time, to the second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    listeners.add(setNow);
    timer ??= setInterval(() => {
      if (!document.hidden) { for (const listener of [...listeners]) listener(Date.now()); }
    }, 1_000);
    return () => {
      listeners.delete(setNow);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return now;
}

/** A time, as the reader wants times. */
export function Time({ at }: { readonly at: string | undefined }) {
  const now = useNow();
  const { times } = useSettings();
  if (at === undefined) return <span class="muted">–</span>;
  const instant = Date.parse(at);
  const text = times === "absolute" ? absoluteText(instant) : relativeText(instant, now);
  return <time dateTime={at} title={exactText(instant)} class="time">{text}</time>;
}
