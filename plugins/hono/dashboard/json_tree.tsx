/**
 * A JSON value as a tree that can be folded and searched, with a keyboard too.
 *
 * @module
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type JsonRow, jsonRows, partsShown } from "./json_rows.ts";
import { Empty } from "./parts.tsx";

/** Rows that are drawn at once. */
const rowsMax = 2_000;

/** The tree. */
export function JsonTree({ value, label }: { readonly value: unknown; readonly label: string }) {
  const [search, setSearch] = useState("");
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [shown, setShown] = useState<ReadonlyMap<string, number>>(new Map());
  const [focused, setFocused] = useState("");
  const rows = useMemo(() => jsonRows(value, { toggled, search, shown }), [value, toggled, search, shown]);
  const hits = rows.filter(({ isHit }) => isHit).length;
  const toggle = (path: string, isOpen: boolean) => setToggled(new Map(toggled).set(path, isOpen));
  const more = (path: string) => setShown(new Map(shown).set(path, (shown.get(path) ?? partsShown) * 5));
  if (value === undefined) return <Empty>It carries no data.</Empty>;
  return (
    <div class="json">
      <div class="json-search">
        <input
          type="search"
          placeholder="Search names and values"
          aria-label={`Search in ${label}`}
          value={search}
          onInput={(event) => {
            setSearch(event.currentTarget.value);
            setToggled(new Map());
          }}
        />
        <span class="muted num" role="status">{search.trim() === "" ? "" : `${hits} found`}</span>
      </div>
      <Rows
        {...{ label, focused, setFocused, toggle, more }}
        rows={rows.slice(0, rowsMax)}
        search={search.trim()}
      />
      {rows.length > rowsMax && <p class="muted">{rows.length - rowsMax} more rows; search, or fold some.</p>}
    </div>
  );
}

interface RowsProps {
  readonly rows: readonly JsonRow[];
  readonly label: string;
  readonly search: string;
  readonly focused: string;
  setFocused(path: string): void;
  toggle(path: string, isOpen: boolean): void;
  more(path: string): void;
}

function Rows({ rows, label, search, focused, setFocused, toggle, more }: RowsProps) {
  const tree = useRef<HTMLDivElement>(null);
  const hasMoved = useRef(false);
  const at = Math.max(0, rows.findIndex((row) => idOf(row) === focused));
  useEffect(() => {
    if (!hasMoved.current) return;
    hasMoved.current = false;
    tree.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  });
  function press(event: KeyboardEvent) {
    const row = rows[at];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = (n: number) => {
      hasMoved.current = true;
      setFocused(idOf(rows[Math.min(rows.length - 1, Math.max(0, n))]!));
    };
    const parent = row.path.slice(0, Math.max(0, row.path.lastIndexOf("/")));
    const moves: Readonly<Record<string, () => void>> = {
      ArrowDown: () => to(at + 1),
      ArrowUp: () => to(at - 1),
      Home: () => to(0),
      End: () => to(rows.length - 1),
      ArrowRight: () => row.isOpen === false ? toggle(row.path, true) : to(at + 1),
      ArrowLeft: () =>
        row.isOpen ? toggle(row.path, false) : to(rows.findIndex(({ path }) => path === parent)),
      Enter: () =>
        row.kind === "more" ? more(row.path) : row.isOpen !== undefined && toggle(row.path, !row.isOpen),
    };
    const move = moves[event.key === " " ? "Enter" : event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }
  if (rows.length === 0) return <Empty>Nothing has “{search}” in it.</Empty>;
  return (
    <div class="tree mono" role="tree" aria-label={label} ref={tree} onKeyDown={press}>
      {rows.map((row, n) => (
        <div
          key={idOf(row)}
          role="treeitem"
          aria-level={row.depth + 1}
          aria-expanded={row.isOpen}
          tabIndex={n === at ? 0 : -1}
          class={row.isOpen === undefined && row.kind !== "more" ? "leaf" : "branch"}
          style={{ paddingLeft: `${row.depth * 16 + 18}px` }}
          onFocus={() => setFocused(idOf(row))}
          onClick={() =>
            row.kind === "more" ? more(row.path) : row.isOpen !== undefined && toggle(row.path, !row.isOpen)}
        >
          {row.name !== undefined && (
            <span class="name">
              <Marked text={row.name} search={search} />:{" "}
            </span>
          )}
          <span class={`value ${row.kind}`}>
            <Marked text={row.text} search={search} />
          </span>
        </div>
      ))}
    </div>
  );
}

/** The row of what is not shown has the path of what it is part of. */
function idOf({ path, kind }: JsonRow): string {
  return kind === "more" ? `${path}/~more` : path;
}

function Marked({ text, search }: { readonly text: string; readonly search: string }) {
  const at = search === "" ? -1 : text.toLowerCase().indexOf(search.toLowerCase());
  if (at < 0) return <>{text}</>;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + search.length)}</mark>
      {text.slice(at + search.length)}
    </>
  );
}
