/**
 * Reads back the Mermaid text that an engine draws of a definition. It is no parser of Mermaid: it knows the lines that the
 * engine writes.
 *
 * @module
 */

/** A status, or a choice that a handler makes. */
export interface GraphNode {
  readonly id: string;
  /** The status as the diagram tells it; empty for a choice. */
  readonly text: string;
  readonly kind: "status" | "choice";
  readonly isStart: boolean;
  readonly isEnd: boolean;
}

/** An arrow. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** What a diagram shows. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The word that the engine makes of a status, so that the node of a run's status is found. */
export function idOfStatus(status: string): string {
  const word = status.replace(/_/g, "__").replace(
    /[^A-Za-z0-9_]/gu,
    (char) => `_x${char.codePointAt(0)!.toString(16)}_`,
  );
  return `s_${word}`;
}

/** What an engine has written of a text, as it was. */
function decode(text: string): string {
  return text.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll("\u2060", "");
}

/**
 * @param mermaid A `stateDiagram-v2` of an engine; other lines are passed over.
 * @returns What it shows, in its order.
 */
export function readMermaid(mermaid: string): Graph {
  const nodes = new Map<string, { -readonly [Name in keyof GraphNode]: GraphNode[Name] }>();
  const edges: GraphEdge[] = [];
  const node = (id: string) => {
    const found = nodes.get(id) ?? { id, text: id, kind: "status", isStart: false, isEnd: false };
    nodes.set(id, found);
    return found;
  };
  for (const line of mermaid.split("\n").map((each) => each.trim())) {
    const [, text, named] = /^state "(.*)" as (\w+)$/.exec(line) ?? [];
    if (named !== undefined) node(named).text = decode(text!);
    const choice = /^state (\w+) <<choice>>$/.exec(line)?.[1];
    if (choice !== undefined) Object.assign(node(choice), { kind: "choice", text: "" });
    const [, from, to, label = ""] = /^(\[\*\]|\w+) --> (\[\*\]|\w+)(?:: (.*))?$/.exec(line) ?? [];
    if (from === undefined || to === undefined) continue;
    if (from === "[*]") node(to).isStart = true;
    else if (to === "[*]") node(from).isEnd = true;
    else {
      node(from);
      node(to);
      edges.push({ from, to, text: decode(label) });
    }
  }
  return { nodes: [...nodes.values()], edges };
}
