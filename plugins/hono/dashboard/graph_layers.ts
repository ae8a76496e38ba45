/**
 * The first half of drawing a graph: in which layer each node stands, and in what order, so that few arrows cross.
 *
 * @module
 */
import type { Graph, GraphEdge } from "./mermaid_graph.ts";

/** A node, or a place that a long arrow passes through. */
export interface Place {
  readonly id: string;
  readonly layer: number;
}

/** An arrow as a chain of places, one per layer. */
export interface Chain {
  readonly edge: GraphEdge;
  /** From the lower layer to the higher. */
  readonly places: readonly string[];
  /** The arrow points to the lower layer. */
  readonly isBack: boolean;
  /** The place where its text stands; absent: it has none. */
  readonly labelAt?: string;
}

/** A graph in layers. */
export interface Layers {
  /** Ids by layer, in order. */
  readonly layers: readonly (readonly string[])[];
  readonly chains: readonly Chain[];
}

/** Sweeps through all layers; more change little. */
const sweeps = 8;

/** Arrows that close a circle when all is walked from the start: they point backwards. */
function backEdges({ nodes, edges }: Graph): ReadonlySet<GraphEdge> {
  const back = new Set<GraphEdge>();
  const state = new Map<string, "open" | "done">();
  const outgoing = new Map<string, GraphEdge[]>();
  for (const edge of edges) outgoing.set(edge.from, [...outgoing.get(edge.from) ?? [], edge]);
  const roots = [...nodes].sort((a, b) => Number(b.isStart) - Number(a.isStart));
  for (const { id: root } of roots) {
    if (state.has(root)) continue;
    const path = [{ id: root, next: 0 }];
    state.set(root, "open");
    while (path.length > 0) {
      const top = path.at(-1)!;
      const edge = outgoing.get(top.id)?.[top.next++];
      if (!edge) {
        state.set(top.id, "done");
        path.pop();
      } else if (state.get(edge.to) === "open") back.add(edge);
      else if (!state.has(edge.to)) {
        state.set(edge.to, "open");
        path.push({ id: edge.to, next: 0 });
      }
    }
  }
  return back;
}

/** The layer of each node: behind the last of those that lead to it, with one between for the text of the arrow. */
function layerOfEach({ nodes, edges }: Graph, back: ReadonlySet<GraphEdge>): ReadonlyMap<string, number> {
  const layer = new Map(nodes.map(({ id }) => [id, 0]));
  const forward = edges.filter((edge) => edge.from !== edge.to).map((edge) =>
    back.has(edge) ? { ...edge, from: edge.to, to: edge.from } : edge
  );
  for (let round = 0, isChanged = true; isChanged && round <= nodes.length; round++) {
    isChanged = false;
    for (const { from, to, text } of forward) {
      const least = layer.get(from)! + (text === "" ? 1 : 2);
      if (layer.get(to)! >= least) continue;
      layer.set(to, least);
      isChanged = true;
    }
  }
  return layer;
}

/**
 * @param graph A graph; arrows from a node to itself are left out.
 * @returns Its layers, and each arrow as a chain through them.
 */
export function layersOf(graph: Graph): Layers {
  const back = backEdges(graph);
  const layer = layerOfEach(graph, back);
  const layers: string[][] = Array.from({ length: Math.max(0, ...layer.values()) + 1 }, () => []);
  for (const { id } of graph.nodes) layers[layer.get(id)!]!.push(id);
  const chains = graph.edges.filter((edge) => edge.from !== edge.to).map((edge, n): Chain => {
    const isBack = back.has(edge);
    const [low, high] = isBack ? [edge.to, edge.from] : [edge.from, edge.to];
    const [first, last] = [layer.get(low)!, layer.get(high)!];
    const between = Array.from({ length: last - first - 1 }, (_, nth) => `${n}:${nth}`);
    between.forEach((id, nth) => layers[first + 1 + nth]!.push(id));
    const labelAt = edge.text === "" ? {} : { labelAt: isBack ? between.at(-1)! : between[0]! };
    return { edge, isBack, places: [low, ...between, high], ...labelAt };
  });
  return { layers: untangle(layers, chains), chains };
}

/** Puts each place near those it is connected with in the layer before, forth and back. */
function untangle(layers: readonly (readonly string[])[], chains: readonly Chain[]): readonly string[][] {
  const before = new Map<string, string[]>();
  const behind = new Map<string, string[]>();
  for (const { places } of chains) {
    places.slice(1).forEach((to, n) => {
      const from = places[n]!;
      before.set(to, [...before.get(to) ?? [], from]);
      behind.set(from, [...behind.get(from) ?? [], to]);
    });
  }
  const ordered = layers.map((layer) => [...layer]);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const isForth = sweep % 2 === 0;
    const near = isForth ? before : behind;
    for (let step = 1; step < ordered.length; step++) {
      const at = isForth ? step : ordered.length - 1 - step;
      const beside = ordered[isForth ? at - 1 : at + 1]!;
      const rank = new Map(beside.map((id, n) => [id, n]));
      const weight = new Map(ordered[at]!.map((id, n) => {
        const ranks = (near.get(id) ?? []).map((each) => rank.get(each) ?? n);
        return [id, ranks.length === 0 ? n : ranks.reduce((sum, each) => sum + each, 0) / ranks.length];
      }));
      ordered[at]!.sort((a, b) => weight.get(a)! - weight.get(b)!);
    }
  }
  return ordered;
}
