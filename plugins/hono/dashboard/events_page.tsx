/**
 * The events of a topic, as they come.
 *
 * @module
 */
import { useRef, useState } from "preact/hooks";
import { queryOf } from "./api.ts";
import { useDefinitions } from "./definitions.ts";
import { fieldOf } from "./dialog.tsx";
import { JsonTree } from "./json_tree.tsx";
import { Empty, Panel } from "./parts.tsx";
import { go, hrefOf, type Place } from "./place.ts";
import { absoluteText, clockText } from "./time_text.ts";
import { useEvents } from "./watch.ts";
import type { StreamedEvent } from "./wire.ts";

/** Events that a page holds. */
const eventsMax = 500;

/** The page. */
export function EventsPage({ place }: { readonly place: Place }) {
  const topic = place.names[1] ?? "";
  const from = place.params.get("from") === "start" ? "start" : "latest";
  const definitions = useDefinitions();
  const topics = definitions.flatMap(({ name, statuses }) => statuses.map((status) => `${name}-${status}`));
  return (
    <>
      <div class="page-head">
        <h1>Events</h1>
      </div>
      <form
        class="filters"
        role="search"
        aria-label="Topics"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = fieldOf(new FormData(event.currentTarget as HTMLFormElement), "topic");
          const isOld = new FormData(event.currentTarget as HTMLFormElement).has("old");
          go(wanted === "" ? hrefOf(["events"]) : hrefOf(["events", wanted], { from: isOld ? "start" : "" }));
        }}
      >
        <label class="inline">
          Topic <input name="topic" data-search list="topics" key={topic} defaultValue={topic} />
        </label>
        <datalist id="topics">{topics.map((each) => <option key={each} value={each} />)}</datalist>
        <label class="check">
          <input type="checkbox" name="old" key={from} defaultChecked={from === "start"} />
          From the oldest that is kept
        </label>
        <button type="submit">Listen</button>
      </form>
      {topic === ""
        ? (
          <Empty>
            Choose a topic: of your own, or a machine's, such as “orders-paid”, if it has a stream.
          </Empty>
        )
        : <Topic key={`${topic} ${from}`} topic={topic} from={from} />}
    </>
  );
}

function Topic({ topic, from }: { readonly topic: string; readonly from: "start" | "latest" }) {
  const [events, setEvents] = useState<readonly StreamedEvent[]>([]);
  const [open, setOpen] = useState<string>();
  const last = useRef("");
  const hear = (_name: string, data: unknown, id: string) => {
    const event = data as StreamedEvent;
    last.current = id;
    setEvents((known) =>
      known.some(({ id }) => id === event.id) ? known : [event, ...known].slice(0, eventsMax)
    );
  };
  const link = useEvents(
    () => `events${queryOf({ topic, from, after: last.current })}`,
    ["event"],
    hear,
    `${topic} ${from}`,
  );
  const text = {
    open: "Listening",
    connecting: "Connecting …",
    lost: "Cut off, or refused",
    off: "Not listening",
    ended: "Ended",
  };
  return (
    <Panel title={topic} tools={<span class={`link link-${link}`} role="status">{text[link]}</span>}>
      {events.length === 0 && <Empty>Nothing has come yet.</Empty>}
      <ol class="plain times">
        {events.map((event) => (
          <li key={event.id}>
            <button
              type="button"
              class="quiet event"
              aria-expanded={open === event.id}
              onClick={() => setOpen(open === event.id ? undefined : event.id)}
            >
              <span class="num muted">
                <span class="wide-only">{`${absoluteText(Date.parse(event.at)).slice(0, 10)} `}</span>
                {clockText(Date.parse(event.at))}
              </span>
              <strong>{event.type}</strong>
              <span class="mono clip">{event.headers?.key ?? event.key}</span>
            </button>
            {open === event.id && <JsonTree value={{ ...event }} label={`Event ${event.id}`} />}
          </li>
        ))}
      </ol>
      {events.length === eventsMax && <p class="muted">The newest {eventsMax} are shown.</p>}
    </Panel>
  );
}
