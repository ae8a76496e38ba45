/**
 * What source text imports, told by its statements and not by its comments: examples import what their module does not.
 *
 * @module
 */

/** The specifiers of a module's imports that are no paths, each once. */
export function bareSpecifiers(text: string): ReadonlySet<string> {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
  const statement = /^\s*(?:import|export)\s(?:[^;"']*?\sfrom\s+)?"([^"]+)"|\bimport\s*\(\s*"([^"]+)"/gm;
  const found = [...code.matchAll(statement)].map((match) => (match[1] ?? match[2])!);
  return new Set(found.filter((specifier) => !specifier.startsWith(".")));
}
