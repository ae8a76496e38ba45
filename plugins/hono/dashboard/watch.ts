/**
 * What the server tells of by itself, as Server-Sent Events.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { addressOf } from "./api.ts";
import { useSettings } from "./settings.ts";

/** How a stream of events is; `ended`: its server has no more to tell. */
export type LinkState = "off" | "connecting" | "open" | "lost" | "ended";

/** Longest wait before a stream that was refused is asked for again. */
const reopenMsMax = 30_000;

/**
 * Listens while the page is visible and live.
 *
 * @param path What to listen to; absent: nothing. It is asked anew whenever it is opened again.
 * @param names Kinds of events.
 * @param hear Hears each.
 */
export function useEvents(
  path: (() => string) | undefined,
  names: readonly string[],
  hear: (name: string, data: unknown, id: string) => void,
  question: string,
): LinkState {
  const { live } = useSettings();
  const [state, setState] = useState<LinkState>("off");
  useEffect(() => {
    if (!path || !live) {
      setState("off");
      return;
    }
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let hasEnded = false;
    function close() {
      clearTimeout(timer);
      source?.close();
      source = undefined;
    }
    function open() {
      close();
      if (document.hidden) return;
      setState("connecting");
      source = new EventSource(addressOf(path!()));
      source.onopen = () => {
        failures = 0;
        setState("open");
      };
      source.onerror = () => {
        setState("lost");
        // What was refused stays closed, what was cut off is opened again by the browser.
        if (source?.readyState !== EventSource.CLOSED) return;
        timer = setTimeout(open, Math.min(reopenMsMax, 1_000 * 2 ** failures++));
      };
      for (const name of names) {
        source.addEventListener(name, (event) => {
          const { data, lastEventId } = event as MessageEvent<string>;
          hear(name, JSON.parse(data), lastEventId);
        });
      }
      // A browser would open it again and again.
      source.addEventListener("end", () => {
        close();
        hasEnded = true;
        setState("ended");
      });
    }
    function turn() {
      if (hasEnded) return;
      if (document.hidden) {
        close();
        setState("off");
      } else if (!source) open();
    }
    document.addEventListener("visibilitychange", turn);
    open();
    return () => {
      document.removeEventListener("visibilitychange", turn);
      close();
    };
  }, [question, live]);
  return state;
}
