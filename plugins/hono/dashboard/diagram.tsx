/**
 * A definition's diagram, with the status of a run lit.
 *
 * @module
 */
import { useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { pathOf, request } from "./api.ts";
import { type Direction, type Layout, layoutOf, pathText } from "./graph_layout.ts";
import { idOfStatus, readMermaid } from "./mermaid_graph.ts";
import { Empty, ErrorNote, Loading } from "./parts.tsx";
import { usePolled } from "./poll.ts";

/** How wide an element is, as long as it is there. */
function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(ref.current?.clientWidth ?? 0);
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  return { ref, width };
}

/** The diagram. */
export function Diagram(
  { definition, status, visited }: {
    readonly definition: string;
    readonly status: string;
    readonly visited: ReadonlySet<string>;
  },
) {
  const path = `definitions/${pathOf(definition)}/diagram`;
  const { data, error, refresh } = usePolled(
    path,
    async (signal) => await (await request(path, { signal })).text(),
    0,
  );
  const { ref, width } = useWidth();
  const drawn = useMemo(() => {
    const graph = readMermaid(data ?? "");
    if (graph.nodes.length === 0) return undefined;
    const right = layoutOf(graph, "right");
    // What is too wide runs down.
    const direction: Direction = right.width > width ? "down" : "right";
    return { direction, layout: direction === "right" ? right : layoutOf(graph, direction) };
  }, [data, width]);
  const ids = useMemo(() => new Set([...visited].map(idOfStatus)), [visited]);
  return (
    <div class="diagram" ref={ref} tabIndex={0} role="group" aria-label={`Diagram of ${definition}`}>
      {error && data === undefined && <ErrorNote error={error} retry={refresh} />}
      {!error && data === undefined && <Loading what="the diagram" />}
      {data !== undefined && !drawn && <Empty>This definition has no diagram.</Empty>}
      {drawn && (
        <Drawing
          {...drawn}
          current={idOfStatus(status)}
          visited={ids}
          label={`The statuses of ${definition}; the run is at ${status}, and has been at ${
            [...visited].join(", ")
          }`}
        />
      )}
    </div>
  );
}

function Drawing(
  { layout, direction, current, visited, label }: {
    readonly layout: Layout;
    readonly direction: Direction;
    readonly current: string;
    readonly visited: ReadonlySet<string>;
    readonly label: string;
  },
) {
  const id = useId();
  const { width, height, nodes, edges } = layout;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <defs>
        <marker id={id} viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M0 0 8 4 0 8z" class="arrow" />
        </marker>
      </defs>
      {edges.map(({ from, to, points, text, label }, n) => (
        <g key={n} class="edge">
          <path
            d={from === to ? loopText(points) : pathText(points, direction)}
            marker-end={to.startsWith("choice") ? undefined : `url(#${id})`}
          />
          {text !== "" && <text x={label.x} y={label.y + 4} text-anchor="middle">{text}</text>}
        </g>
      ))}
      {nodes.map(({ node, x, y, width, height }) => {
        if (node.kind === "choice") {
          const r = width / 2;
          return (
            <path
              key={node.id}
              class="choice"
              d={`M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}z`}
            />
          );
        }
        const kinds = [
          "node",
          node.id === current && "current",
          visited.has(node.id) && "visited",
          node.isEnd && "end",
        ];
        return (
          <g key={node.id} class={kinds.filter(Boolean).join(" ")}>
            <rect
              x={x - width / 2}
              y={y - height / 2}
              width={width}
              height={height}
              rx={node.isEnd ? 14 : 5}
            />
            <text x={x} y={y + 4} text-anchor="middle">{node.text}</text>
            {node.isStart && <circle class="start" cx={x - width / 2} cy={y - height / 2} r="4" />}
          </g>
        );
      })}
    </svg>
  );
}

function loopText(points: readonly { readonly x: number; readonly y: number }[]): string {
  const [a, b, c, d] = points.map(({ x, y }) => `${x} ${y}`);
  return `M${a}C${b} ${c} ${d}`;
}
