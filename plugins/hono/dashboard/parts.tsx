/**
 * The small parts that every page is made of.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "./api.ts";

/** A run's state, in words and colour. */
export function StateBadge({ state }: { readonly state: string }) {
  return <span class={`badge state-${state}`}>{state}</span>;
}

/** A titled part of a page. */
export function Panel(
  { title, tools, children, id }: {
    readonly title: string;
    readonly tools?: ComponentChildren;
    readonly children: ComponentChildren;
    readonly id?: string;
  },
) {
  const heading = `panel-${id ?? title.toLowerCase().replace(/\W+/g, "-")}`;
  return (
    <section class="panel" aria-labelledby={heading}>
      <header class="panel-head">
        <h2 id={heading}>{title}</h2>
        {tools && <div class="tools">{tools}</div>}
      </header>
      {children}
    </section>
  );
}

/** What is said where there is nothing. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** What to do about an error, where there is something to do. */
function hintOf(error: Error): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 0) return "It is tried again by itself.";
  if (error.status === 401) {
    return "Sign in to the service that this dashboard belongs to, then reload the page.";
  }
  if (error.status === 403) return "The service's `authorize` does not let you see this.";
  if (error.status === 404 && error.code === undefined) return "This engine may lack the feature.";
  return undefined;
}

/** An error, with what to do about it. */
export function ErrorNote({ error, retry }: { readonly error: Error; readonly retry?: () => void }) {
  const isRefused = error instanceof ApiError && (error.status === 401 || error.status === 403);
  const hint = hintOf(error);
  return (
    <div class={isRefused ? "note refused" : "note error"} role="alert">
      <strong>{isRefused ? "You may not see this" : "That did not work"}</strong>
      <span>{error.message}{error instanceof ApiError && error.code ? ` (${error.code})` : ""}</span>
      {hint && <span class="muted">{hint}</span>}
      {retry && <button type="button" class="small" onClick={retry}>Try again</button>}
    </div>
  );
}

/** Rows that have the height of those to come, so that nothing moves when they come. */
export function SkeletonRows({ columns, rows = 8 }: { readonly columns: number; readonly rows?: number }) {
  return (
    <>
      {Array.from({ length: rows }, (_, n) => (
        <tr key={n} class="skeleton" aria-hidden="true">
          {Array.from({ length: columns }, (_, m) => (
            <td key={m}>
              <span class="bone" />
            </td>
          ))}
        </tr>
      ))}
    </>
  );
}

/** A place that fills when its data is there. */
export function Loading({ what, lines = 4 }: { readonly what: string; readonly lines?: number }) {
  return (
    <div class="loading" role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: lines }, (_, n) => <span key={n} class="bone" />)}
    </div>
  );
}

/** A button that copies a text. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const [said, setSaid] = useState("Copy");
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Not allowed");
    }
    setTimeout(() => setSaid("Copy"), 1_500);
  }
  return (
    <button type="button" class="small quiet" onClick={copy} aria-label={`${said} ${what}`}>{said}</button>
  );
}

/** A name and its value in a list of facts. */
export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A field of a form. */
export function Field(
  { label, hint, children }: {
    readonly label: string;
    readonly hint?: string;
    readonly children: ComponentChildren;
  },
) {
  return (
    <label class="field">
      <span>{label}{hint && <small>{hint}</small>}</span>
      {children}
    </label>
  );
}
