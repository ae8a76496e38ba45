/**
 * Types and signatures as text, laid out so that a reader sees their parts.
 *
 * @module
 */
import type { Callable, Member, Param, TypeNode, TypeParam } from "./doc_json.ts";

/** The longest line of a signature; longer ones are cut at their parts. */
const widest = 96;

type Printer = (value: TypeNode["value"], node: TypeNode) => string;

const printers: Readonly<Record<string, Printer>> = {
  keyword: (value) => String(value),
  literal: (_value, node) => literalText(node),
  typeRef: (value) => value.typeName + typeArguments(value.typeParams),
  union: (value: TypeNode[]) => value.map(typeText).join(" | "),
  intersection: (value: TypeNode[]) => value.map(typeText).join(" & "),
  array: (value) => `${isLoose(value) ? `(${typeText(value)})` : typeText(value)}[]`,
  tuple: (value: TypeNode[]) => `[${value.map(typeText).join(", ")}]`,
  typeOperator: (value) => `${value.operator} ${typeText(value.tsType)}`,
  parenthesized: (value) => `(${typeText(value)})`,
  rest: (value) => `...${typeText(value)}`,
  optional: (value) => `${typeText(value)}?`,
  typeQuery: (value) => `typeof ${typeof value === "string" ? value : value.typeName}`,
  this: () => "this",
  indexedAccess: (value) => `${typeText(value.objType)}[${typeText(value.indexType)}]`,
  conditional: (value) =>
    `${typeText(value.checkType)} extends ${typeText(value.extendsType)} ? ${typeText(value.trueType)} : ${
      typeText(value.falseType)
    }`,
  infer: (value) => `infer ${typeParamText(value.typeParam)}`,
  mapped: mappedText,
  typePredicate: (value) =>
    `${value.asserts ? "asserts " : ""}${value.param.type === "this" ? "this" : value.param.name}${
      value.type ? ` is ${typeText(value.type)}` : ""
    }`,
  fnOrConstructor: (value) =>
    `${value.constructor ? "new " : ""}${typeParameters(value.typeParams)}(${
      (value.params as Param[]).map(paramText).join(", ")
    }) => ${typeText(value.tsType)}`,
  typeLiteral: (value) => {
    const members = membersOf(value);
    return members.length === 0 ? "{}" : `{ ${members.join("; ")} }`;
  },
};

/**
 * A type as one writes it.
 *
 * @param node The type.
 * @returns Its text, in one line.
 * @throws {Error} For a kind that `deno doc` has not had before: it is to be added here, not to be left out of a page.
 */
export function typeText(node: TypeNode | undefined): string {
  if (node === undefined) return "unknown";
  const print = printers[node.kind];
  if (print === undefined) {
    throw new Error(`Cannot write a type of kind ${node.kind}: ${JSON.stringify(node)}`);
  }
  return print(node.value, node);
}

function isLoose(node: TypeNode): boolean {
  return ["union", "intersection", "fnOrConstructor", "conditional", "typeOperator", "infer"].includes(
    node.kind,
  );
}

function literalText({ repr, value }: TypeNode): string {
  if (value.kind === "string") return JSON.stringify(value.string);
  if (value.kind !== "template") return String(repr);
  const parts = value.tsTypes as TypeNode[];
  const text = parts.map((part) =>
    part.kind === "literal" && part.value.kind === "string" ? part.value.string : `\${${typeText(part)}}`
  );
  return `\`${text.join("")}\``;
}

/** `true`, `"+"` and `"-"` are how `deno doc` tells of a modifier that is there, added or taken away. */
function modifier(value: unknown, text: string): string {
  if (value === undefined || value === false || value === null) return "";
  return value === true ? text : `${value}${text}`;
}

function mappedText(value: TypeNode["value"]): string {
  const { name, constraint } = value.typeParam as TypeParam;
  const as = value.nameType ? ` as ${typeText(value.nameType)}` : "";
  const head = `${modifier(value.readonly, "readonly ").trimStart()}[${name} in ${
    typeText(constraint)
  }${as}]`;
  return `{ ${head}${modifier(value.optional, "?")}: ${typeText(value.tsType)} }`;
}

function typeArguments(args: readonly TypeNode[] | undefined): string {
  return args === undefined || args.length === 0 ? "" : `<${args.map(typeText).join(", ")}>`;
}

function typeParamText({ name, constraint, default: otherwise }: TypeParam): string {
  return name + (constraint ? ` extends ${typeText(constraint)}` : "") +
    (otherwise ? ` = ${typeText(otherwise)}` : "");
}

/**
 * The parameters of a type, in their brackets.
 *
 * @param params Those it has, if any.
 * @returns `<A, B>`, or nothing.
 */
export function typeParameters(params: readonly TypeParam[] | undefined): string {
  return params === undefined || params.length === 0 ? "" : `<${params.map(typeParamText).join(", ")}>`;
}

/**
 * The name of a parameter, however it is declared.
 *
 * @param param The parameter.
 * @returns The name; `options` for one that is taken apart where it stands, as its name is never said.
 */
export function paramName(param: Param): string {
  if (param.kind === "assign") return paramName(param.left!);
  if (param.kind === "rest") return paramName(param.arg!);
  return param.name ?? "options";
}

function paramText(param: Param): string {
  const inner = param.kind === "assign" ? param.left! : param;
  const isOptional = param.kind === "assign" || inner.optional === true;
  const type = param.tsType ?? inner.tsType;
  return `${param.kind === "rest" ? "..." : ""}${paramName(param)}${isOptional ? "?" : ""}: ${
    typeText(type)
  }`;
}

/**
 * A property as one line of an interface.
 *
 * @param member The property.
 * @returns Its text, without a semicolon.
 */
export function propertyText(member: Member): string {
  return `${member.readonly ? "readonly " : ""}${member.name}${member.optional ? "?" : ""}: ${
    typeText(member.tsType)
  }`;
}

/** The members of a type that is written where it is used. */
function membersOf(value: TypeNode["value"]): string[] {
  const signature = (member: Member) =>
    `${member.name ?? ""}${member.optional ? "?" : ""}${callText(member as Callable, ":")}`;
  const index = (member: Member) =>
    `${member.readonly ? "readonly " : ""}[${member.params!.map(paramText).join(", ")}]: ${
      typeText(member.tsType)
    }`;
  return [
    ...(value.indexSignatures ?? []).map(index),
    ...(value.callSignatures ?? []).map(signature),
    ...(value.properties ?? []).map(propertyText),
    ...(value.methods ?? []).map(signature),
  ];
}

/** The part of a call from its type parameters on, in one line. */
function callText({ typeParams, params, returnType }: Callable, before: string): string {
  const returns = returnType ? `${before} ${typeText(returnType)}` : "";
  return `${typeParameters(typeParams)}(${params.map(paramText).join(", ")})${returns}`;
}

/**
 * A function or method with its parameters, each in a line of its own where one line is too long.
 *
 * @param head What stands before the parameters: `function machine`.
 * @param callable Its parameters and what it returns.
 * @returns The signature.
 */
export function signature(head: string, callable: Callable): string {
  const short = head + callText(callable, ":");
  if (short.length <= widest && !short.includes("\n")) return short;
  const { typeParams = [], params, returnType } = callable;
  const types = typeParameters(typeParams);
  const isWide = head.length + types.length > widest;
  const broken = isWide ? `<\n${typeParams.map((each) => `  ${typeParamText(each)},\n`).join("")}>` : types;
  const list = params.length === 0 ? "" : `\n${params.map((each) => `  ${paramText(each)},\n`).join("")}`;
  return `${head}${broken}(${list})${returnType ? `: ${typeText(returnType)}` : ""}`;
}

/**
 * A type with a name, and its parts in lines of their own where one line is too long.
 *
 * @param head What stands before it: `type RunState`.
 * @param node The type.
 * @returns The declaration.
 */
export function aliasText(head: string, node: TypeNode | undefined): string {
  const short = `${head} = ${typeText(node)}`;
  if (short.length <= widest || node === undefined) return short;
  if (node.kind === "union" || node.kind === "intersection") {
    const sign = node.kind === "union" ? "|" : "&";
    return `${head} =${(node.value as TypeNode[]).map((each) => `\n  ${sign} ${partText(each)}`).join("")}`;
  }
  if (node.kind === "typeLiteral") {
    return `${head} = {\n${membersOf(node.value).map((each) => `  ${each};\n`).join("")}}`;
  }
  if (node.kind === "conditional") {
    const { checkType, extendsType, trueType, falseType } = node.value;
    return `${head} = ${typeText(checkType)} extends ${typeText(extendsType)}\n  ? ${
      typeText(trueType)
    }\n  : ${typeText(falseType)}`;
  }
  return short;
}

/** A part of a long type: one that is written out has its members in lines of their own, if one line is too long. */
function partText(node: TypeNode): string {
  const short = typeText(node);
  if (short.length <= widest || node.kind !== "typeLiteral") return short;
  return `{\n${membersOf(node.value).map((each) => `    ${each};\n`).join("")}  }`;
}
