import fc from "fast-check";
import assert from "node:assert/strict";
import type { Transition } from "../../core/engine/behaviour.ts";
import { diagramOf } from "../../core/engine/diagram.ts";
import type { DiagramSource } from "../../core/engine/diagram_options.ts";
import type { DiagramDirection } from "../../mod.ts";
import { testWithChromium } from "../browser/browsers.ts";
import { drawAll, type Drawing, loadMermaid } from "./mermaid_page.ts";

const directions: readonly DiagramDirection[] = ["LR", "RL", "TB", "BT"];

/** What Mermaid's language, Markdown, HTML or Mermaid's own escapes make something else of. */
const traps = [
  "end",
  "state",
  "State",
  "direction",
  "direction TB",
  "to direction LR or so",
  "DIRECTION rl",
  "note",
  "note right of a",
  "end note",
  "[*]",
  "root",
  "root_start",
  "default",
  "class",
  "classDef x fill:#f00;",
  "style x fill:#f00;",
  "style:#1;",
  "click",
  "href",
  "scale 350 width",
  "hide empty description",
  "accTitle: x",
  "accDescr { x }",
  "stateDiagram-v2",
  "constructor",
  "__proto__",
  "toString",
  "s_a",
  "choice1_s_a",
  "<<choice>>",
  "a <<fork>>",
  "[[join]]",
  ":::red",
  "a --> b",
  "--",
  "---",
  "%% comment",
  '%%{init: {"theme":"dark"}}%%',
  '"',
  '"quoted" as x',
  "'",
  "`code`",
  "*em* **strong**",
  "_em_",
  "~~gone~~",
  "1. list",
  "1) list",
  "- list",
  "+ list",
  "# head",
  "> quote",
  "|a|b|",
  "$$x^2$$",
  "fa:fa-car",
  "www.example.com",
  "https://example.com",
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<br/>",
  "<b>",
  "&amp;",
  "&#35;",
  "#35;",
  "#quot;",
  "#",
  ";",
  ":",
  "a:b;c",
  "{",
  "}",
  "a{b",
  "\\n",
  "\n",
  "a\nb",
  "\r\n",
  "\t",
  " ",
  "  a  b  ",
  "a b",
  "a_b",
  "a-b",
  "a__b",
  "\u0000",
  "\u007f",
  "\u0085",
  "\u2028",
  "\ud800",
  "größe",
  "支払い済み",
  "مدفوع",
  "e\u0301te\u0301",
  "👩‍👩‍👧",
  "❤️",
  "ﬂ°°35¶ß",
  "ﬂ°amp¶ß",
  "ﬂ",
  "¶ß",
  "ſtate",
  "x".repeat(128),
];

/** What is to be seen of a text: itself, but for what has no look, which is told from other things by its id. */
function seen(text: string): string {
  const signs = Array.from(text.toWellFormed(), (char) => {
    if (char < " ") return String.fromCharCode(0x2400 + char.charCodeAt(0));
    if (char === "\x7f") return "\u2421";
    return char > "\x7f" && char < "\xa0" ? "\ufffd" : char;
  });
  return signs.join("");
}

/** Text as a reader sees it: spaces that do not break look like others, and a word joiner like nothing. */
function look(text: string): string {
  return text.replaceAll("\u00a0", " ").replaceAll("\u2060", "");
}

type Arrow = readonly [from: string, to: string];

const sorted = (arrows: readonly Arrow[]) => arrows.map((arrow) => JSON.stringify(arrow)).sort();

/** The arrows between statuses as they are seen, through choices, and to and from the ends. */
function arrowsSeen(drawing: Drawing): Arrow[] {
  const name = (id: string) => /^root_/.test(id) ? id : look(drawing.nodes[id]!);
  const choices = new Set(drawing.choices);
  return drawing.arrows.filter(([from]) => !choices.has(from)).flatMap(([from, to]) => {
    if (!choices.has(to)) return [[name(from), name(to)] as const];
    const onward = drawing.arrows.filter(([each]) => each === to);
    assert.ok(onward.length > 1, `choice ${to} leads to ${onward.length}`);
    return onward.map(([, end]) => [name(from), name(end)] as const);
  });
}

/** The same of a machine; of those from a status to itself there is one. */
function arrowsOf(source: DiagramSource, statuses: ReadonlySet<string>): Arrow[] {
  const shown = (status: string) => look(seen(status));
  const looping = new Set(source.transitions.filter(isLoop).map(({ from }) => from));
  const inner = source.transitions.filter((each) => !isLoop(each)).flatMap(({ from, to }) =>
    [...new Set(to)].map((each) => [shown(from), shown(each)] as const)
  );
  const left = new Set(source.transitions.map(({ from }) => from));
  const ends = [...statuses].filter((status) => !left.has(status));
  return [
    ["root_start", shown(source.start)],
    ...inner,
    ...[...looping].map((status) => [shown(status), shown(status)] as const),
    ...ends.map((status) => [shown(status), "root_end"] as const),
  ];
}

function isLoop({ from, to }: Transition): boolean {
  return to.every((each) => each === from);
}

/** Compares a machine with what Mermaid makes of its diagram. */
function check(source: DiagramSource, direction: DiagramDirection, drawing: Drawing): void {
  assert.equal(drawing.error, undefined);
  assert.equal(drawing.direction, direction);
  assert.equal(drawing.intruders, 0);
  const statuses = new Set([
    source.start,
    ...source.statuses,
    ...source.transitions.flatMap(({ from, to }) => [from, ...to]),
  ]);
  const shown = Object.entries(drawing.nodes)
    .filter(([id]) => !/^root_/.test(id) && !drawing.choices.includes(id)).map(([, text]) => look(text));
  assert.deepEqual(shown.sort(), [...statuses].map((status) => look(seen(status))).sort());
  assert.deepEqual(sorted(arrowsSeen(drawing)), sorted(arrowsOf(source, statuses)));
  for (const transition of source.transitions) {
    const { by, label = by === "step" ? "" : by } = transition;
    const wanted = look(seen(label));
    const found = drawing.labels.map(look).some((each) =>
      isLoop(transition) ? each.includes(wanted) : each === wanted
    );
    assert.ok(found, `no label ${JSON.stringify(label)} in ${JSON.stringify(drawing.labels)}`);
  }
}

testWithChromium("diagramOf() draws any status so that Mermaid shows it as it is", async (page) => {
  await loadMermaid(page);
  const cases = Array.from({ length: Math.ceil(traps.length / 6) }, (_, at) => {
    const statuses = traps.slice(6 * at, 6 * at + 6);
    const transitions: Transition[] = statuses.flatMap((trap) => [
      { from: "home", to: [trap, "b"], by: "callback", label: trap },
      { from: trap, to: [trap], by: "step", label: trap },
      { from: trap, to: ["c", "home"], by: "timeout" },
    ]);
    return {
      source: { name: "x", start: statuses[0]!, statuses, transitions },
      direction: directions[at % 4]!,
    };
  });
  const drawings = await drawAll(page, cases.map((each) => diagramOf(each.source, each)));
  cases.forEach(({ source, direction }, at) => check(source, direction, drawings[at]!));
});

const nasty = fc.oneof(
  fc.constantFrom(...traps),
  fc.array(fc.oneof(fc.constantFrom(...traps), fc.constantFrom(" ", ":", "-", "#", ";")), {
    minLength: 2,
    maxLength: 4,
  })
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 12 }),
);

const machines = fc.uniqueArray(nasty, { minLength: 1, maxLength: 6, selector: (text) => look(seen(text)) })
  .chain((statuses) =>
    fc.record({
      name: fc.constant("x"),
      start: fc.constantFrom(...statuses),
      statuses: fc.constant(statuses),
      transitions: fc.array(
        fc.record({
          from: fc.constantFrom(...statuses),
          to: fc.array(fc.constantFrom(...statuses), { minLength: 1, maxLength: 3 }),
          by: fc.constantFrom("step" as const, "callback" as const, "timeout" as const),
          label: nasty,
        }, { requiredKeys: ["from", "to", "by"] }),
        { maxLength: 6 },
      ),
    })
  );

testWithChromium("diagramOf() draws any machine so that Mermaid reads the same machine", async (page) => {
  await loadMermaid(page);
  // A trip to the page costs more than a diagram, so a run of the property is a pile of them.
  const piles = fc.array(fc.tuple(machines, fc.constantFrom(...directions)), {
    minLength: 12,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(piles, async (pile) => {
      const texts = pile.map(([source, direction]) => diagramOf(source, { direction }));
      const drawings = await drawAll(page, texts);
      pile.forEach(([source, direction], at) => check(source, direction, drawings[at]!));
    }),
    { numRuns: 6, interruptAfterTimeLimit: 90_000 },
  );
});
