/**
 * Where the reader is: the part of the address behind `#`, which no server sees, as keys may be personal data.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";

/** A place of the dashboard. */
export interface Place {
  /** Such as `runs`, `orders`, `order-17`. */
  readonly names: readonly string[];
  readonly params: URLSearchParams;
}

/** Reads what stands behind the `#`. */
export function readPlace(hash: string): Place {
  const [path = "", query = ""] = splitOnce(hash.replace(/^#?\/?/, ""), "?");
  const names = path.split("/").filter((name) => name !== "").map(decode);
  return { names, params: new URLSearchParams(query) };
}

function splitOnce(text: string, by: string): string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}

/** Addresses are typed by people, too. */
function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The address of a place; what is empty is left out. */
export function hrefOf(
  names: readonly string[],
  params: Readonly<Record<string, string | readonly string[] | undefined>> = {},
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === "") continue;
    for (const each of typeof value === "string" ? [value] : value) query.append(name, each);
  }
  const text = query.toString();
  return `#/${names.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

/** Goes to a place; `replace`: without a step for the back button. */
export function go(href: string, options: { readonly replace?: boolean } = {}): void {
  if (href === location.hash) return;
  if (!options.replace) {
    location.hash = href;
    return;
  }
  history.replaceState(undefined, "", href);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The place, as it changes. */
export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const look = () => setHash(location.hash);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return readPlace(hash);
}
