/**
 * The second half of drawing a graph: where each node is, and how the arrows run.
 *
 * @module
 */
import { type Layers, layersOf } from "./graph_layers.ts";
import type { Graph, GraphNode } from "./mermaid_graph.ts";

/** A point. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A node with its place: its centre and its size. */
export interface PlacedNode extends Point {
  readonly node: GraphNode;
  readonly width: number;
  readonly height: number;
}

/** An arrow: what it runs through, from its tail to its head. */
export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly points: readonly Point[];
  /** Where its text goes. */
  readonly label: Point;
}

/** A drawing. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/** Which way time runs. */
export type Direction = "right" | "down";

const nodeHeight = 28;
const charWidth = 7.2;
const choiceSize = 14;
const gapAcross = 18;
const gapAlong = 30;
const labelCharWidth = 6.2;
const margin = 16;
const loopHeight = 22;

interface Size {
  readonly width: number;
  readonly height: number;
}

function sizeOf(node: GraphNode | string | undefined): Size {
  if (node === undefined) return { width: 4, height: 4 };
  if (typeof node === "string") return { width: [...node].length * labelCharWidth + 6, height: 16 };
  if (node.kind === "choice") return { width: choiceSize, height: choiceSize };
  return { width: Math.max(40, [...node.text].length * charWidth + 20), height: nodeHeight };
}

/**
 * @param graph What to draw.
 * @param direction Which way it runs.
 * @returns Where everything is; nothing overlaps, and all of it is within the size.
 */
export function layoutOf(graph: Graph, direction: Direction): Layout {
  const layered = layersOf(graph);
  const nodes = new Map<string, GraphNode | string>(graph.nodes.map((node) => [node.id, node]));
  for (const { edge, labelAt } of layered.chains) if (labelAt !== undefined) nodes.set(labelAt, edge.text);
  const isRight = direction === "right";
  const along = (size: Size) => isRight ? size.width : size.height;
  const across = (size: Size) => isRight ? size.height : size.width;
  const acrossOf = placesAcross(layered, (id) => across(sizeOf(nodes.get(id))));
  const alongOf = placesAlong(layered, (id) => along(sizeOf(nodes.get(id))));
  // Arrows from a node to itself go over its top.
  const room = graph.edges.some((edge) => edge.from === edge.to) ? loopHeight : 0;
  const least = Math.min(...[...acrossOf].map(([id, at]) => at - across(sizeOf(nodes.get(id))) / 2));
  const pointOf = (id: string): Point => {
    const [a, b] = [alongOf.get(id)! + margin, acrossOf.get(id)! - least + margin];
    return isRight ? { x: a, y: b + room } : { x: b, y: a + room };
  };
  const placed = graph.nodes.map((node) => ({ node, ...pointOf(node.id), ...sizeOf(node) }));
  const edges = layered.chains.map(({ edge, places, isBack, labelAt }): PlacedEdge => {
    const ids = isBack ? [...places].reverse() : places;
    const points = clip(ids.map(pointOf), sizeOf(nodes.get(edge.from)), sizeOf(nodes.get(edge.to)), isRight);
    return { ...edge, points, label: pointOf(labelAt ?? edge.from) };
  });
  const loops = graph.edges.filter((edge) => edge.from === edge.to).map((edge): PlacedEdge => {
    const { x, y } = pointOf(edge.from);
    const top = y - nodeHeight / 2;
    const points = [{ x: x - 10, y: top }, { x: x - 10, y: top - 12 }, { x: x + 10, y: top - 12 }, {
      x: x + 10,
      y: top,
    }];
    return { ...edge, points, label: { x, y: top - 18 } };
  });
  const all = [...edges, ...loops];
  const rights = [...placed.map(({ x, width }) => x + width / 2), ...all.flatMap(rightsOf)];
  const bottoms = [
    ...placed.map(({ y, height }) => y + height / 2),
    ...all.flatMap(({ points }) => points.map(({ y }) => y)),
  ];
  return {
    width: Math.max(...rights) + margin,
    height: Math.max(...bottoms) + margin,
    nodes: placed,
    edges: all,
  };
}

function rightsOf({ points, label, text }: PlacedEdge): readonly number[] {
  return [...points.map(({ x }) => x), label.x + (text.length * labelCharWidth) / 2];
}

/** Where each place is along the drawing: the middle of its layer. */
function placesAlong({ layers }: Layers, lengthOf: (id: string) => number) {
  const at = new Map<string, number>();
  let offset = 0;
  for (const layer of layers) {
    const length = Math.max(...layer.map(lengthOf));
    for (const id of layer) at.set(id, offset + length / 2);
    offset += length + gapAlong;
  }
  return at;
}

/** Where each place is across: near those it is connected with, and not on its neighbours. */
function placesAcross({ layers, chains }: Layers, breadthOf: (id: string) => number) {
  const at = new Map<string, number>();
  const near = new Map<string, string[]>();
  for (const { places } of chains) {
    places.slice(1).forEach((to, n) => {
      const from = places[n]!;
      near.set(to, [...near.get(to) ?? [], from]);
      near.set(from, [...near.get(from) ?? [], to]);
    });
  }
  for (const layer of layers) {
    let offset = 0;
    for (const id of layer) {
      at.set(id, offset + breadthOf(id) / 2);
      offset += breadthOf(id) + gapAcross;
    }
    // Layers begin centred on one line.
    for (const id of layer) at.set(id, at.get(id)! - (offset - gapAcross) / 2);
  }
  for (let round = 0; round < 12; round++) {
    for (const layer of round % 2 === 0 ? layers : [...layers].reverse()) {
      const wished = layer.map((id) => {
        const beside = near.get(id);
        return beside ? beside.reduce((sum, each) => sum + at.get(each)!, 0) / beside.length : at.get(id)!;
      });
      spread(wished, layer.map(breadthOf)).forEach((place, n) => at.set(layer[n]!, place));
    }
  }
  return at;
}

/**
 * The places nearest to those wished for that keep their order and distances: neighbours that would come too close are
 * moved as one block to the mean of what they wish.
 *
 * @param wished Centres.
 * @param breadths How much room each takes.
 */
export function spread(wished: readonly number[], breadths: readonly number[]): readonly number[] {
  const offsets: number[] = [];
  breadths.forEach((breadth, n) => {
    offsets.push(n === 0 ? 0 : offsets[n - 1]! + (breadths[n - 1]! + breadth) / 2 + gapAcross);
  });
  const blocks: { sum: number; count: number }[] = [];
  wished.forEach((wish, n) => {
    blocks.push({ sum: wish - offsets[n]!, count: 1 });
    while (blocks.length > 1) {
      const [last, before] = [blocks.at(-1)!, blocks.at(-2)!];
      if (before.sum / before.count < last.sum / last.count) break;
      blocks.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count });
    }
  });
  const starts = blocks.flatMap(({ sum, count }) => Array<number>(count).fill(sum / count));
  return starts.map((start, n) => start + offsets[n]!);
}

/** Lets an arrow begin and end at the border of its nodes. */
function clip(points: readonly Point[], tail: Size, head: Size, isRight: boolean): readonly Point[] {
  const moved = [...points];
  const shift = (at: number, towards: Point, size: Size, gap: number) => {
    const { x, y } = moved[at]!;
    const by = (isRight ? size.width : size.height) / 2 + gap;
    const sign = (isRight ? towards.x - x : towards.y - y) < 0 ? -1 : 1;
    moved[at] = isRight ? { x: x + sign * by, y } : { x, y: y + sign * by };
  };
  const last = points.length - 1;
  shift(0, points[1]!, tail, 0);
  shift(last, points[last - 1]!, head, 3);
  return moved;
}

/** The path of an arrow: bends along the way that the drawing runs. */
export function pathText(points: readonly Point[], direction: Direction): string {
  const [first, ...rest] = points;
  const round = (value: number) => Math.round(value * 10) / 10;
  const text = ({ x, y }: Point) => `${round(x)} ${round(y)}`;
  let before = first!;
  return `M${text(before)}` + rest.map((point) => {
    const half = direction === "right" ? (point.x - before.x) / 2 : (point.y - before.y) / 2;
    const [a, b] = direction === "right"
      ? [{ x: before.x + half, y: before.y }, { x: point.x - half, y: point.y }]
      : [{ x: before.x, y: before.y + half }, { x: point.x, y: point.y - half }];
    before = point;
    return `C${text(a)} ${text(b)} ${text(point)}`;
  }).join("");
}
