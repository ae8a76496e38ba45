/**
 * The frame around the pages.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { DefinitionsProvider, useAskDefinitions } from "./definitions.ts";
import { Dialog } from "./dialog.tsx";
import { EnginesPage } from "./engines_page.tsx";
import { EventsPage } from "./events_page.tsx";
import { LockPage } from "./lock_page.tsx";
import { LocksPage } from "./locks_page.tsx";
import { MetricsPage } from "./metrics_page.tsx";
import { Empty } from "./parts.tsx";
import { hrefOf, type Place, usePlace } from "./place.ts";
import { RunPage } from "./run_page.tsx";
import { RunsPage } from "./runs_page.tsx";
import { SchedulePage } from "./schedule_page.tsx";
import { SchedulesPage } from "./schedules_page.tsx";
import { setSettings, useSettings } from "./settings.ts";
import { nextTheme, pages, shortcutTexts, useShortcuts } from "./shortcuts.ts";

/** The dashboard. */
export function App() {
  const place = usePlace();
  const definitions = useAskDefinitions();
  const [isHelp, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  useShortcuts(() => setHelp(true));
  const page = place.names[0] ?? "runs";
  // What a screen reader is at must follow to the new page; what changes within a page must not move it.
  const where = place.names.join("/");
  const isFirst = useRef(true);
  useEffect(() => {
    const label = pages.find(([, name]) => name === page)?.[2] ?? "Not found";
    document.title = [...place.names.slice(1).reverse(), label, "Pawl"].join(" · ");
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    if (!isFirst.current) scrollTo(0, 0);
    isFirst.current = false;
  }, [where]);
  return (
    <DefinitionsProvider value={definitions}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the page
      </a>
      <Header page={page} openHelp={() => setHelp(true)} />
      <main id="main" tabIndex={-1} ref={main}>
        <Shown place={place} />
      </main>
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </DefinitionsProvider>
  );
}

function Shown({ place }: { readonly place: Place }) {
  const [page = "runs", first, second] = place.names;
  // Another run is another page, which begins anew.
  const key = place.names.join("/");
  switch (page) {
    case "runs":
      if (first === undefined) return <RunsPage place={place} />;
      return <RunPage key={`${key}?${place.params.get("runId")}`} place={place} />;
    case "schedules":
      return first === undefined ? <SchedulesPage /> : <SchedulePage key={key} place={place} />;
    case "locks":
      return second === undefined ? <LocksPage place={place} /> : <LockPage key={key} place={place} />;
    case "engines":
      return <EnginesPage />;
    case "metrics":
      return <MetricsPage />;
    case "events":
      return <EventsPage place={place} />;
    default:
      return (
        <>
          <h1>Not found</h1>
          <Empty>
            There is no such page. <a href={hrefOf(["runs"])}>Go to the runs</a>
          </Empty>
        </>
      );
  }
}

function Header({ page, openHelp }: { readonly page: string; openHelp(): void }) {
  const { theme, times, live } = useSettings();
  return (
    <header class="top">
      <a class="mark" href={hrefOf(["runs"])} aria-label="Pawl, to the runs">
        <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <path d="M10 2a8 8 0 1 0 8 8h-3.4l2.6-3.6-3.9.9.4-4L10.4 5.6z" />
        </svg>
        <span class="wide-only">Pawl</span>
      </a>
      <nav aria-label="Dashboard">
        {pages.map(([, name, label]) => (
          <a key={name} href={hrefOf([name])} aria-current={page === name ? "page" : undefined}>{label}</a>
        ))}
      </nav>
      <div class="switches">
        <button
          type="button"
          class={live ? "quiet live" : "quiet"}
          aria-pressed={live}
          title="Follow what happens (l)"
          onClick={() => setSettings({ live: !live })}
        >
          {live ? "Live" : "Held"}
        </button>
        <button
          type="button"
          class="quiet wide-only"
          title="Relative or absolute times (t)"
          onClick={() => setSettings({ times: times === "relative" ? "absolute" : "relative" })}
        >
          Times: {times === "relative" ? "ago" : "exact"}
        </button>
        <button
          type="button"
          class="quiet"
          title="Light, dark, or as the system (d)"
          onClick={() => setSettings({ theme: nextTheme[theme] })}
        >
          Theme: {{ system: "auto", light: "light", dark: "dark" }[theme]}
        </button>
        <button type="button" class="quiet" aria-label="Keys and help" title="Keys (?)" onClick={openHelp}>
          ?
        </button>
      </div>
    </header>
  );
}

function Help({ onClose }: { onClose(): void }) {
  const { keys } = useSettings();
  return (
    <Dialog title="Keys" onClose={onClose}>
      <table class="keys">
        <caption class="sr-only">Keys</caption>
        <tbody>
          {shortcutTexts.map(([key, text]) => (
            <tr key={key}>
              <th scope="row">
                {key.split(/\s+/).map((each) => <kbd key={each}>{each}</kbd>)}
              </th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="check">
        <input type="checkbox" checked={keys} onChange={() => setSettings({ keys: !keys })} />
        Single keys are shortcuts
      </label>
    </Dialog>
  );
}
