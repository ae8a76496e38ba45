/**
 * Where in the reference each name stands, so that what mentions it can lead there.
 *
 * @module
 */
import { anchors } from "./anchors.ts";
import type { Declaration, DocSymbol, Entry, Member } from "./doc_json.ts";

/** The kinds of names, in the order of a page, and what a page calls them. */
export const kinds: readonly { readonly kind: Declaration["kind"]; readonly title: string }[] = [
  { kind: "function", title: "Functions" },
  { kind: "variable", title: "Constants" },
  { kind: "class", title: "Classes" },
  { kind: "interface", title: "Interfaces" },
  { kind: "typeAlias", title: "Types" },
];

/** A name with a section of its own. */
export interface Place {
  readonly symbol: DocSymbol;
  readonly page: string;
  readonly anchor: string;
  /** Anchors of its methods by their names. */
  readonly members: ReadonlyMap<string, string>;
}

/** What an entry point shows: sections of its own, and names that another page has the sections of. */
export interface Listing {
  readonly entry: Entry;
  readonly own: readonly Place[];
  readonly elsewhere: readonly Place[];
}

/** All places, and how names are looked up. */
export interface Places {
  readonly listings: readonly Listing[];
  /** The address of a name or of `Name.member` as seen from a page; `undefined` for what is not exported. */
  address(name: string, from: string): string | undefined;
}

/**
 * The methods of a name that get a heading.
 *
 * @param declaration Where it is declared.
 * @returns Them, in the order of the source.
 */
export function methodsOf(declaration: Declaration): readonly Member[] {
  return declaration.def.methods ?? [];
}

/**
 * The heading of a method.
 *
 * @param symbol Whose method it is.
 * @param method The method.
 * @returns Such as `Engine.stop()`.
 */
export function methodHeading(symbol: DocSymbol, method: Member): string {
  return `\`${symbol.name}.${method.name}()\``;
}

/**
 * Finds a place for everything that is exported. What several entry points export has its section with the first.
 *
 * @param entries The entry points.
 * @returns Their places.
 */
export function placesOf(entries: readonly Entry[]): Places {
  const byDeclaration = new Map<string, Place>();
  const byName = new Map<string, Place[]>();
  const listings = entries.map((entry) => listingOf(entry, byDeclaration));
  for (const place of byDeclaration.values()) {
    byName.set(place.symbol.name, [...byName.get(place.symbol.name) ?? [], place]);
  }
  return {
    listings,
    address(name, from) {
      const [symbol, member] = name.split(".") as [string, string?];
      const places = byName.get(symbol) ?? [];
      const place = places.find((each) => each.page === from) ?? places[0];
      if (place === undefined || (member !== undefined && !hasMember(place.symbol, member))) return undefined;
      const anchor = (member !== undefined && place.members.get(member)) || place.anchor;
      return `${place.page === from ? "" : `${place.page}.md`}#${anchor}`;
    },
  };
}

function hasMember({ declarations }: DocSymbol, name: string): boolean {
  return declarations.some(({ def }) =>
    [...def.methods ?? [], ...def.properties ?? []].some((each) => each.name === name) ||
    (def.tsType?.kind === "typeLiteral" &&
      (def.tsType.value.properties as Member[]).some((each) => each.name === name))
  );
}

function listingOf(entry: Entry, byDeclaration: Map<string, Place>): Listing {
  const next = anchors();
  next(`\`${entry.specifier}\``);
  next("Names");
  const own: Place[] = [];
  const elsewhere: Place[] = [];
  for (const { kind, title } of kinds) {
    const symbols = entry.symbols.filter((each) => each.declarations[0]!.kind === kind);
    const fresh = symbols.filter((each) => !byDeclaration.has(idOf(each)));
    elsewhere.push(
      ...symbols.filter((each) => byDeclaration.has(idOf(each))).map((each) =>
        byDeclaration.get(idOf(each))!
      ),
    );
    if (fresh.length > 0) next(title);
    for (const symbol of fresh) {
      const anchor = next(`\`${symbol.name}\``);
      const methods = methodsOf(symbol.declarations[0]!);
      const members = new Map(methods.map((each) => [each.name, next(methodHeading(symbol, each))]));
      const place: Place = { symbol, page: entry.page, anchor, members };
      byDeclaration.set(idOf(symbol), place);
      own.push(place);
    }
  }
  return { entry, own, elsewhere };
}

function idOf({ name, declarations }: DocSymbol): string {
  const { filename, line, col } = declarations[0]!.location;
  return `${name} ${filename} ${line} ${col}`;
}
