/**
 * What documents and doc comments name is there: pages, headings, tasks, files, names. No network is asked.
 *
 * @module
 */
import assert from "node:assert/strict";
import { anchorsOf, withoutCode } from "../../reference/anchors.ts";

const root = new URL("../../", import.meta.url);

const listed = await new Deno.Command("git", {
  args: ["ls-files", "--cached", "--others", "--exclude-standard"],
  cwd: root,
}).output();
const names = new TextDecoder().decode(listed.stdout).split("\n").filter((path) => path !== "");
const texts = new Map<string, string>();
for (const path of new Set(names)) {
  if (!/\.(md|tsx?|jsonc?)$/.test(path)) continue;
  // A file that is deleted but not yet committed is listed too.
  const text = await Deno.readTextFile(new URL(path, root)).catch(() => undefined);
  if (text !== undefined) texts.set(path, text);
}
/** Every file, and every folder that one lies in. */
const paths = new Set(names.flatMap((path) => {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}));
const pages = [...texts].filter(([path]) => path.endsWith(".md"));
/** Pages that somebody writes: the reference is made of doc comments, and the change log tells of what was. */
const written = pages.filter(([path]) => !path.startsWith("docs/api/") && path !== "CHANGELOG.md");
const anchors = new Map(pages.map(([path, text]) => [path, anchorsOf(text)]));

/** A page without its code: blocks are left empty, and code in a line is one word, as it may be the text of a link. */
const proseOf = (text: string) => withoutCode(text).replace(/`[^`\n]*`/g, "code");

interface Link {
  readonly page: string;
  readonly target: string;
}

const links: readonly Link[] = pages.flatMap(([page, text]) => {
  const inLine = [...proseOf(text).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)];
  const defined = [...proseOf(text).matchAll(/^\s*\[(?!\^)[^\]]+\]:\s+(\S+)/gm)];
  return [...inLine, ...defined].map((match) => ({ page, target: match[1]! }));
});

/** A place in the repository, from its root; `undefined` outside of it. */
function resolve(
  page: string,
  target: string,
): { readonly path: string; readonly anchor: string | undefined } {
  const [file = "", anchor] = target.split("#") as [string, string?];
  const path = new URL(file === "" ? page.split("/").at(-1)! : file, new URL(page, "file:///")).pathname
    .slice(1);
  return { path: decodeURIComponent(path).replace(/\/$/, ""), anchor };
}

const isExternal = (target: string) => /^[a-z][a-z+.-]*:/i.test(target);

Deno.test("links between pages lead to a file, and to a heading that is there", () => {
  assert.ok(links.length > 300, `${links.length} links`);
  const problems: string[] = [];
  for (const { page, target } of links) {
    if (isExternal(target)) continue;
    const { path, anchor } = resolve(page, target);
    if (!paths.has(path)) problems.push(`${page}: ${target} is no file`);
    else if (anchor !== undefined && !anchors.get(path)?.has(anchor)) {
      problems.push(`${page}: ${target} is no heading of ${path}`);
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("addresses of other sites are whole and by https", () => {
  const problems: string[] = [];
  for (const { page, target } of links) {
    if (!isExternal(target)) continue;
    const url = URL.canParse(target) ? new URL(target) : undefined;
    const isFine = url?.protocol === "https:" && /\.[a-z]{2,}$/.test(url.hostname) && url.username === "";
    if (!isFine) problems.push(`${page}: ${target}`);
  }
  assert.deepEqual(problems, []);
});

Deno.test("references in square brackets are defined", () => {
  const problems: string[] = [];
  for (const [page, text] of written) {
    const defined = new Set(
      [...text.matchAll(/^\s*\[([^\]]+)\]:\s/gm)].map((match) => match[1]!.toLowerCase()),
    );
    for (const [all, , name] of proseOf(text).matchAll(/\[([^\]]+)\]\[([^\]]+)\]/g)) {
      if (!defined.has(name!.toLowerCase())) problems.push(`${page}: ${all}`);
    }
    for (const [, note] of proseOf(text).matchAll(/\[\^([\w-]+)\](?!:)/g)) {
      if (!text.includes(`[^${note}]:`)) problems.push(`${page}: [^${note}] has no footnote`);
    }
    for (const [, note] of text.matchAll(/^\[\^([\w-]+)\]:/gm)) {
      if (text.split(`[^${note}]`).length < 3) problems.push(`${page}: nothing has the footnote [^${note}]`);
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("every page of docs is on their map", () => {
  const map = links.filter((link) => link.page === "docs/README.md").map((link) =>
    resolve(link.page, link.target).path
  );
  const missing = pages.map(([path]) => path).filter((path) =>
    /^docs\/\w+\.md$/.test(path) && path !== "docs/README.md" && !map.includes(path)
  );
  assert.deepEqual(missing, []);
});

Deno.test("tasks that a document or a comment names are in deno.json, or in that of a starter", () => {
  // A starter is a project of its own, with tasks of its own.
  const manifests = [...texts].filter(([path]) => /(^|\/)deno\.jsonc?$/.test(path));
  const tasks = new Set(
    manifests.flatMap(([, text]) => Object.keys((JSON.parse(text) as { tasks?: object }).tasks ?? {})),
  );
  const problems: string[] = [];
  for (const [path, text] of texts) {
    for (const [, task] of text.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z][\w:-]*)/g)) {
      if (!tasks.has(task!)) problems.push(`${path}: deno task ${task}`);
    }
  }
  assert.deepEqual(problems, []);
});

/** The rooms of the repository: what begins with one of them and has a slash is meant as a path. */
const rooms = [...new Set([...paths].map((path) => path.split("/")[0]!))].filter((path) =>
  !path.includes(".")
);

Deno.test("paths of this repository that pages name are there", () => {
  const problems: string[] = [];
  for (const [page, text] of written) {
    for (const [, code] of withoutCode(text).matchAll(/`([\w.*-]+(?:\/[\w.*-]+)*\/?)`/g)) {
      const room = code!.split("/")[0]!;
      if (!code!.includes("/") || !rooms.includes(room) || code!.includes("*")) continue;
      // What a build makes is not kept, and NAMES in capitals stand for others.
      if (/^npm\/out\b|\/dist\b|\/[A-Z]{2,}\b(?!\.md)/.test(code!)) continue;
      const path = code!.replace(/\/$/, "");
      if (!paths.has(path) && !paths.has(`${path}.ts`)) problems.push(`${page}: ${code}`);
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("links of doc comments name what their file knows, or what another file exports", () => {
  const sources = [...texts].filter(([path]) => /\.tsx?$/.test(path));
  const declared =
    /^export (?:declare |abstract |async )*(?:function\*?|class|interface|type|const|let) (\w+)/gm;
  const exported = new Set(
    sources.flatMap(([, text]) => [...text.matchAll(declared)].map((match) => match[1]!)),
  );
  const problems: string[] = [];
  let count = 0;
  for (const [path, text] of sources.filter(([, text]) => text.includes("{@link"))) {
    const comments = [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].map((match) => match[0]);
    const code = text.replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, name] of comments.join("\n").matchAll(/\{@link(?:code|plain)?\s+([\w$:.\/-]+)/g)) {
      count++;
      const first = name!.split(".")[0]!;
      const isKnown = exported.has(first) || new RegExp(`\\b${first}\\b`).test(code);
      if (!isKnown && !name!.startsWith("https:")) problems.push(`${path}: ${name}`);
    }
  }
  assert.ok(count > 30, `${count} links`);
  assert.deepEqual(problems, []);
});
