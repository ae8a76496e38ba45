/**
 * Mermaid itself, which needs a DOM, in a browser's page: what it makes of a text.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Page } from "puppeteer-core";

/** What Mermaid read in a text, and drew. */
export interface Drawing {
  /** What it complained of; the rest is empty then. */
  readonly error?: string;
  /** As it reads it. */
  readonly direction: string;
  /** The text in each node, by the node's id. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Ids of the nodes that are choices. */
  readonly choices: readonly string[];
  /** Ids of nodes. */
  readonly arrows: readonly (readonly [from: string, to: string])[];
  /** All texts beside arrows. */
  readonly labels: readonly string[];
  /** Elements in the drawing that a text must never become. */
  readonly intruders: number;
}

/** As much of Mermaid as is used here. */
interface Mermaid {
  initialize(config: { startOnLoad: boolean; maxEdges: number; maxTextSize: number }): void;
  parse(text: string): Promise<unknown>;
  render(id: string, text: string): Promise<{ readonly svg: string }>;
  readonly mermaidAPI: {
    getDiagramFromText(text: string): Promise<{
      readonly db: {
        getDirection(): string;
        getStates(): Map<string, { readonly id: string; readonly type: string }>;
        getRelations(): readonly { readonly id1: string; readonly id2: string }[];
      };
    }>;
  };
}

/**
 * Loads Mermaid into a page.
 *
 * @param page An empty one.
 */
export async function loadMermaid(page: Page): Promise<void> {
  await page.setContent("<!doctype html><title>diagrams</title><body></body>");
  await page.addScriptTag({
    path: fileURLToPath(import.meta.resolve("@mermaid-js/tiny/dist/mermaid.tiny.js")),
  });
  await page.evaluate(() => {
    const { mermaid } = globalThis as unknown as { readonly mermaid: Mermaid };
    mermaid.initialize({ startOnLoad: false, maxEdges: 5_000, maxTextSize: 1_000_000 });
  });
}

/**
 * Parses and renders texts, in one trip to the page.
 *
 * @param page One with Mermaid.
 * @param texts Diagrams.
 * @returns What became of each.
 */
export async function drawAll(page: Page, texts: readonly string[]): Promise<Drawing[]> {
  return await page.evaluate(async (texts: readonly string[]) => {
    const { mermaid } = globalThis as unknown as { readonly mermaid: Mermaid };
    const draw = async (text: string, id: string): Promise<Drawing> => {
      await mermaid.parse(text);
      const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
      const states = [...db.getStates().values()];
      const picture = document.createElement("div");
      picture.innerHTML = (await mermaid.render(id, text)).svg;
      document.body.append(picture);
      const elements = (selector: string) => [...picture.querySelectorAll(selector)];
      // As it is laid out: many spaces in markup are one to the eye.
      const textOf = (element: Element | null) => (element as HTMLElement | null)?.innerText ?? "";
      const nodes = elements(".node").map((node) => [
        node.id.replace(`${id}-state-`, "").replace(/-\d+$/, ""),
        textOf(node.querySelector(".nodeLabel")),
      ]);
      const drawing = {
        direction: db.getDirection(),
        nodes: Object.fromEntries(nodes),
        choices: states.filter((state) => state.type === "choice").map((state) => state.id),
        arrows: db.getRelations().map(({ id1, id2 }) => [id1, id2] as const),
        labels: elements(".edgeLabel .edgeLabel").map(textOf),
        intruders: elements("script, img, a, b, i, em, strong, code, ul, ol, h1").length,
      };
      picture.remove();
      return drawing;
    };
    const drawings: Drawing[] = [];
    for (const [at, text] of texts.entries()) {
      const nothing = { direction: "", nodes: {}, choices: [], arrows: [], labels: [], intruders: 0 };
      drawings.push(
        await draw(text, `drawing${at}`).catch((error) => ({ ...nothing, error: String(error) })),
      );
    }
    return drawings;
  }, texts);
}
