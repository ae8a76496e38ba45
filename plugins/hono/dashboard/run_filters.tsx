/**
 * The filter of the runs: each change goes into the address, and from there to the table.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { useDefinitions } from "./definitions.ts";
import { go, hrefOf } from "./place.ts";
import { paramsOf, type RunFilter, spans, states } from "./run_filter.ts";
import { SavedFilters } from "./saved_filters.tsx";

/** Waits until somebody has stopped to type. */
const typingMs = 300;

/** The filter. */
export function RunFilters({ filter }: { readonly filter: RunFilter }) {
  const definitions = useDefinitions();
  const set = (changes: Partial<RunFilter>, replace = false) =>
    go(hrefOf(["runs"], paramsOf({ ...filter, ...changes })), { replace });
  const known = definitions.find(({ name }) => name === filter.definition);
  const statuses = known?.statuses ?? [...new Set(definitions.flatMap((each) => each.statuses))].sort();
  const value = (event: Event) => (event.currentTarget as HTMLSelectElement | HTMLInputElement).value;
  return (
    <form class="filters" role="search" aria-label="Runs" onSubmit={(event) => event.preventDefault()}>
      <KeySearch value={filter.key} set={(key, isTyping) => set({ key }, isTyping)} />
      <Choice
        label="Definition"
        value={filter.definition}
        choices={definitions.map(({ name }) => name)}
        any="All definitions"
        set={(definition) => set({ definition, status: "" })}
      />
      <Choice
        label="Status"
        value={filter.status}
        choices={statuses}
        any="Any status"
        set={(status) => set({ status })}
      />
      <Choice
        label="Created"
        value={filter.within}
        choices={[...Object.keys(spans), "range"]}
        any="Any time"
        textOf={(span) => span === "range" ? "Between …" : `Last ${span}`}
        set={(within) => set({ within })}
      />
      <select
        aria-label="Order"
        value={filter.order}
        onChange={(event) => set({ order: value(event) as RunFilter["order"] })}
      >
        <option value="newest">Newest first</option>
        <option value="oldest">Oldest first</option>
      </select>
      <SavedFilters filter={filter} />
      {filter.within === "range" && (
        <span class="range">
          <input
            type="datetime-local"
            aria-label="Created after"
            value={filter.after}
            onChange={(event) => set({ after: value(event) })}
          />
          –
          <input
            type="datetime-local"
            aria-label="Created before"
            value={filter.before}
            onChange={(event) => set({ before: value(event) })}
          />
        </span>
      )}
      <StateChips chosen={filter.states} set={(states) => set({ states })} />
    </form>
  );
}

function StateChips({ chosen, set }: { readonly chosen: readonly string[]; set(states: string[]): void }) {
  return (
    <div class="chips" role="group" aria-label="States">
      {states.map((state) => {
        const isOn = chosen.includes(state);
        const next = isOn ? chosen.filter((each) => each !== state) : [...chosen, state];
        return (
          <button
            key={state}
            type="button"
            class={`chip state-${state}`}
            aria-pressed={isOn}
            onClick={() => set([...next])}
          >
            {state}
          </button>
        );
      })}
    </div>
  );
}

/** One of several, or any; also one that the engine does not know, as the address may name it. */
function Choice(
  { label, value, choices, any, set, textOf = (choice) => choice }: {
    readonly label: string;
    readonly value: string;
    readonly choices: readonly string[];
    readonly any: string;
    textOf?(choice: string): string;
    set(value: string): void;
  },
) {
  const all = value === "" || choices.includes(value) ? choices : [...choices, value];
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => set(event.currentTarget.value)}
    >
      <option value="">{any}</option>
      {all.map((choice) => <option key={choice} value={choice}>{textOf(choice)}</option>)}
    </select>
  );
}

function KeySearch({ value, set }: { readonly value: string; set(key: string, isTyping: boolean): void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const sent = useRef(value);
  useEffect(() => {
    // What was typed meanwhile must not be taken away by what was typed before.
    if (value === sent.current) return;
    sent.current = value;
    clearTimeout(timer.current);
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="search"
      data-search
      aria-label="Key"
      placeholder="Key, or its start and *"
      value={text}
      onInput={(event) => {
        const typed = event.currentTarget.value;
        setText(typed);
        clearTimeout(timer.current);
        // The first letter is a step for the back button, the others are part of it.
        timer.current = setTimeout(() => {
          sent.current = typed.trim();
          set(sent.current, value !== "");
        }, typingMs);
      }}
    />
  );
}
