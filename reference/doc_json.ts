/**
 * What `deno doc --json` says of the public surface, as far as the pages of the reference show it.
 *
 * @module
 */

/** A type as `deno doc` takes it apart. */
export interface TypeNode {
  readonly kind: string;
  readonly repr?: string;
  // Its shape depends on the kind; `type_text.ts` is the only reader.
  // deno-lint-ignore no-explicit-any
  readonly value?: any;
}

/** A parameter of a type. */
export interface TypeParam {
  readonly name: string;
  readonly constraint?: TypeNode;
  readonly default?: TypeNode;
}

/** A parameter of a function. */
export interface Param {
  readonly kind: "identifier" | "assign" | "rest" | "object" | "array";
  readonly name?: string;
  readonly optional?: boolean;
  readonly tsType?: TypeNode;
  readonly left?: Param;
  readonly arg?: Param;
}

/** A tag of a doc comment. */
export interface DocTag {
  readonly kind: string;
  readonly name?: string;
  readonly doc?: string;
  readonly tsType?: TypeNode;
}

/** A doc comment. */
export interface DocComment {
  readonly doc?: string;
  readonly tags?: readonly DocTag[];
}

/** What functions, methods and call signatures have in common. */
export interface Callable {
  readonly params: readonly Param[];
  readonly returnType?: TypeNode;
  readonly typeParams?: readonly TypeParam[];
}

/** A member of an interface or a class, of whatever kind. */
export interface Member extends Partial<Callable> {
  readonly name: string;
  readonly jsDoc?: DocComment;
  readonly kind?: string;
  readonly optional?: boolean;
  readonly readonly?: boolean;
  readonly isStatic?: boolean;
  readonly tsType?: TypeNode;
  /** Of the methods of a class, whose signature stands one level deeper. */
  readonly functionDef?: Callable;
}

/** What a declaration says, by its kind. */
export interface Definition extends Partial<Callable> {
  readonly properties?: readonly Member[];
  readonly methods?: readonly Member[];
  readonly callSignatures?: readonly Member[];
  readonly indexSignatures?: readonly Member[];
  readonly constructors?: readonly Member[];
  readonly extends?: string | readonly TypeNode[];
  readonly superTypeParams?: readonly TypeNode[];
  readonly tsType?: TypeNode;
}

/** One declaration of a name. */
export interface Declaration {
  readonly kind: "function" | "class" | "interface" | "typeAlias" | "variable";
  readonly location: { readonly filename: string; readonly line: number; readonly col: number };
  readonly jsDoc?: DocComment;
  readonly def: Definition;
}

/** An exported name. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** An entry point: what users import. */
export interface Entry {
  /** As users write it: `pawl/adapters/memory`. */
  readonly specifier: string;
  /** The name of its page, without `.md`. */
  readonly page: string;
  readonly module: DocComment;
  readonly symbols: readonly DocSymbol[];
}

const root = new URL("../", import.meta.url);

/**
 * Asks `deno doc` for every entry point of `deno.json`, all in one process: about half a second.
 *
 * @returns The entry points, in the order of `deno.json`, and their names in the order of the alphabet.
 * @throws {Error} With what `deno doc` said, when it fails.
 */
export async function readEntries(): Promise<readonly Entry[]> {
  const manifest = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
    readonly exports: Readonly<Record<string, string>>;
  };
  const files = Object.values(manifest.exports);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...files],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  if (code !== 0) throw new Error(`deno doc ended with code ${code}:\n${new TextDecoder().decode(stderr)}`);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly nodes: Readonly<
      Record<string, { readonly module_doc?: DocComment; readonly symbols: readonly DocSymbol[] }>
    >;
  };
  return Object.entries(manifest.exports).map(([subpath, file]) => {
    const node = nodes[new URL(file, root).href];
    if (node === undefined) throw new Error(`deno doc says nothing of ${file}`);
    return {
      specifier: `pawl${subpath.slice(1)}`,
      page: subpath === "." ? "pawl" : subpath.slice(2).replaceAll("/", "_"),
      module: node.module_doc ?? {},
      symbols: node.symbols.map(withoutImplementation).sort(byName),
    };
  });
}

function byName(a: DocSymbol, b: DocSymbol): number {
  const [left, right] = [a.name.toLowerCase(), b.name.toLowerCase()];
  if (left !== right) return left < right ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Of a function with overloads the last declaration is its body, which callers never see. */
function withoutImplementation(symbol: DocSymbol): DocSymbol {
  const overloads = symbol.declarations.filter((each) =>
    each.kind === "function" && !("hasBody" in each.def)
  );
  return overloads.length > 0 ? { ...symbol, declarations: overloads } : symbol;
}
