/**
 * One entry point as a page.
 *
 * @module
 */
import type {
  Callable,
  Declaration,
  Definition,
  DocComment,
  DocSymbol,
  Member,
  TypeNode,
} from "./doc_json.ts";
import { kinds, type Listing, methodHeading, methodsOf, type Place, type Places } from "./places.ts";
import { aliasText, paramName, propertyText, signature, typeParameters, typeText } from "./type_text.ts";

/** What writes the parts of one page. */
interface Writer {
  readonly page: string;
  readonly places: Places;
  /** Links that lead to nothing that is exported. */
  readonly lost: string[];
}

/** What stands above all pages. */
export const notice = "<!-- deno-fmt-ignore-file -->\n" +
  "<!-- Written by `deno task docs:api` from doc comments. Change those, not this. -->";

/**
 * Writes the page of an entry point.
 *
 * @param listing What it shows.
 * @param places Where all names are.
 * @param lost Gets the links in doc comments that name nothing exported.
 * @returns The page, as markdown.
 */
export function pageOf(listing: Listing, places: Places, lost: string[]): string {
  const { entry, own } = listing;
  const writer: Writer = { page: entry.page, places, lost };
  const parts = [
    notice,
    `# \`${entry.specifier}\``,
    prose(writer, entry.module.doc),
    ...examples(writer, entry.module),
    "## Names",
    ...index(writer, listing),
  ];
  for (const { kind, title } of kinds) {
    const places = own.filter((each) => each.symbol.declarations[0]!.kind === kind);
    if (places.length === 0) continue;
    parts.push(`## ${title}`, ...places.flatMap((place) => section(writer, place)));
  }
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/**
 * The first sentence of a doc comment, for lists.
 *
 * @param comment The comment.
 * @returns The sentence, without links.
 */
export function summary(comment: DocComment | undefined): string {
  const paragraph = (comment?.doc ?? "").trim().split("\n\n")[0]!.replaceAll("\n", " ");
  const sentence = /^.*?\.(?=\s|$)/.exec(paragraph)?.[0] ?? paragraph;
  return sentence.replace(/:$/, ".").replace(/\{@link(?:code|plain)?\s+([^}|\s]+)[^}]*\}/g, "`$1`");
}

function index({ page, places }: Writer, { own, elsewhere }: Listing): string[] {
  const parts = kinds.flatMap(({ kind, title }) => {
    const lines = own.filter((each) => each.symbol.declarations[0]!.kind === kind).map((place) => {
      const says = summary(place.symbol.declarations[0]!.jsDoc);
      return `- [\`${place.symbol.name}\`](#${place.anchor})${says === "" ? "" : `: ${says}`}`;
    });
    return lines.length === 0 ? [] : [`**${title}**`, lines.join("\n")];
  });
  if (elsewhere.length === 0) return parts;
  const names = elsewhere.map(({ symbol }) => {
    const address = places.address(symbol.name, page)!;
    return `[\`${symbol.name}\`](${address})`;
  });
  return [...parts, "**Also exported by another entry point**", `${names.join(", ")}.`];
}

/** A doc comment's text with its links; code in it does not run here, as it runs where it stands. */
function prose({ page, places, lost }: Writer, text: string | undefined): string {
  return (text ?? "").trim()
    .replace(/^(\s*)```(ts|js|tsx|jsx)[^\n]*$/gm, "$1```$2 ignore")
    .replace(
      /\{@link(?:code|plain)?\s+([^}|\s]+)(?:\s*\|?\s*([^}]*))?\}/g,
      (_all, name: string, label?: string) => {
        const shown = label ? label.trim() : `\`${name}\``;
        if (/^https?:/.test(name)) return `[${label ? label.trim() : name}](${name})`;
        const address = places.address(name, page);
        if (address === undefined) lost.push(`${page}: ${name}`);
        return address === undefined ? shown : `[${shown}](${address})`;
      },
    );
}

const inLine = (writer: Writer, text: string | undefined) => prose(writer, text).replace(/\s*\n\s*/g, " ");

function code(text: string): string {
  return `\`\`\`ts ignore\n${text}\n\`\`\``;
}

function section(writer: Writer, { symbol }: Place): string[] {
  return [
    `### \`${symbol.name}\``,
    ...symbol.declarations.flatMap((declaration) => declared(writer, symbol, declaration)),
  ];
}

function declared(writer: Writer, symbol: DocSymbol, declaration: Declaration): string[] {
  const { def, jsDoc } = declaration;
  const members = [...def.indexSignatures ?? [], ...def.properties ?? [], ...writtenOut(def.tsType)];
  const calls = [
    ...(def.constructors ?? []).map((each) => ({ each, head: `new ${symbol.name}` })),
    ...(def.callSignatures ?? []).map((each) => ({ each, head: symbol.name })),
  ];
  return [
    isPlain(declaration) ? "" : code(headOf(symbol, declaration)),
    prose(writer, jsDoc?.doc),
    ...calling(writer, declaration.kind === "function" ? def as Callable : undefined, jsDoc),
    ...calls.flatMap(({ each, head }) => [
      code(signature(head, each as Callable)),
      prose(writer, each.jsDoc?.doc),
      ...calling(writer, each as Callable, each.jsDoc),
    ]),
    calls.length > 0 && members.length > 0 ? "**Properties**" : "",
    members.map((each) => property(writer, each)).join("\n"),
    see(writer, symbol, { ...def, methods: [] }),
    ...examples(writer, jsDoc),
    ...methodsOf(declaration).flatMap((each) => method(writer, symbol, each)),
  ];
}

/** The documented properties of a type that is written out, as a whole or in parts. */
function writtenOut(node: TypeNode | undefined): readonly Member[] {
  if (node?.kind === "typeLiteral") {
    return (node.value.properties as Member[] ?? []).filter((each) => each.jsDoc !== undefined);
  }
  if (node?.kind === "parenthesized") return writtenOut(node.value);
  const isOfParts = node?.kind === "intersection" || node?.kind === "union";
  return isOfParts ? (node.value as TypeNode[]).flatMap(writtenOut) : [];
}

/** An interface whose head says nothing but its name, which the heading has said. */
function isPlain({ kind, def }: Declaration): boolean {
  const bases = def.extends ?? [];
  return kind === "interface" && bases.length === 0 && typeParameters(def.typeParams) === "";
}

function headOf({ name }: DocSymbol, { kind, def }: Declaration): string {
  const types = typeParameters(def.typeParams);
  switch (kind) {
    case "function":
      return signature(`function ${name}`, def as Callable);
    case "variable":
      return `const ${name}: ${typeText(def.tsType)}`;
    case "typeAlias":
      return aliasText(`type ${name}${types}`, def.tsType);
    case "class":
      return `class ${name}${types}${def.extends ? ` extends ${def.extends as string}` : ""}`;
    case "interface": {
      const bases = (def.extends ?? []) as readonly TypeNode[];
      return `interface ${name}${types}${
        bases.length > 0 ? ` extends ${bases.map(typeText).join(", ")}` : ""
      }`;
    }
  }
}

function method(writer: Writer, symbol: DocSymbol, each: Member): string[] {
  const callable = each.functionDef ?? (each as Callable);
  const name = `${each.isStatic ? "static " : ""}${each.name}${each.optional ? "?" : ""}`;
  return [
    `#### ${methodHeading(symbol, each)}`,
    code(signature(name, callable)),
    prose(writer, each.jsDoc?.doc),
    ...calling(writer, callable, each.jsDoc),
    see(writer, symbol, callable),
    ...examples(writer, each.jsDoc),
  ];
}

function property(writer: Writer, member: Member): string {
  const text = member.params === undefined
    ? propertyText(member)
    : `[${member.params.map((each) => `${paramName(each)}: ${typeText(each.tsType)}`)}]: ${
      typeText(member.tsType)
    }`;
  const says = inLine(writer, member.jsDoc?.doc);
  const preset = (member.jsDoc?.tags ?? []).filter((tag) => tag.kind === "default");
  const presets = preset.map((tag) => ` Default: ${inLine(writer, tag.doc)}.`).join("");
  return `- \`${text}\`${says === "" ? "" : `: ${says}`}${presets}`;
}

/** What a call takes, gives and throws. */
function calling(writer: Writer, callable: Callable | undefined, comment: DocComment | undefined): string[] {
  const tags = comment?.tags ?? [];
  const lines = tags.flatMap((tag) => {
    const says = inLine(writer, tag.doc);
    if (tag.kind === "template") return [`- Type \`${tag.name}\`: ${says}`];
    if (tag.kind === "param") return [`- \`${tag.name}\`: ${says}`];
    if (tag.kind === "return" && says !== "") return [`- Returns: ${says}`];
    if (tag.kind === "throws") {
      return [`- Throws ${tag.tsType ? `\`${typeText(tag.tsType)}\`` : ""}: ${says}`];
    }
    return [];
  });
  const unknown = tags.filter((tag) => tag.kind === "param").filter((tag) =>
    callable !== undefined && !callable.params.some((each) => paramName(each) === tag.name)
  );
  const isTakenApart = callable?.params.some((each) =>
    each.kind !== "identifier" && (each.left ?? each).kind !== "identifier"
  );
  if (!isTakenApart) unknown.forEach((tag) => writer.lost.push(`${writer.page}: @param ${tag.name}`));
  return [lines.join("\n")];
}

function examples(writer: Writer, comment: DocComment | undefined): string[] {
  const found = (comment?.tags ?? []).filter((tag) => tag.kind === "example");
  return found.flatMap((tag) => ["**Example**", prose(writer, tag.doc)]);
}

/** The exported types that a declaration mentions, as text in code cannot lead anywhere. */
function see({ page, places }: Writer, symbol: DocSymbol, def: Definition): string {
  const names = new Set<string>();
  const look = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(look);
    if (typeof value !== "object" || value === null) return;
    const { kind, value: inner } = value as TypeNode;
    if (kind === "typeRef" && typeof inner?.typeName === "string") names.add(inner.typeName);
    for (const [key, part] of Object.entries(value)) if (key !== "jsDoc") look(part);
  };
  look(def);
  if (typeof def.extends === "string") names.add(def.extends);
  for (const own of [symbol.name, ...(def.typeParams ?? []).map((each) => each.name)]) names.delete(own);
  const links = [...names].flatMap((name) => {
    const address = places.address(name, page);
    return address === undefined ? [] : [`[\`${name}\`](${address})`];
  });
  return links.length === 0 ? "" : `See ${links.join(", ")}.`;
}
