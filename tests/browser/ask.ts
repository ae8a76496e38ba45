import type { Page } from "puppeteer-core";
import type { Suite } from "./pages/suite.ts";

type Answer<Called> = Called extends (...args: never) => infer Given ? Promise<Awaited<Given>> : never;
type Asked<Called> = Called extends (...args: infer Args) => unknown ? Args : never;

/** Calls something of the suite that a page of the tests offers. */
export type Ask<Of> = <Name extends keyof Of & string>(
  tab: Page,
  name: Name,
  ...args: Asked<Of[Name]>
) => Answer<Of[Name]>;

/** A function that asks pages for what `Of` offers. */
export function askFor<Of>(): Ask<Of> {
  const call = (name: string, args: readonly unknown[]) => {
    const { suite } = globalThis as unknown as { suite: Record<string, (...args: unknown[]) => unknown> };
    return suite[name]!(...args);
  };
  return (tab, name, ...args) => tab.evaluate(call, name, args as unknown[]) as never;
}

/** Calls something of the page's suite. */
export const ask: Ask<Suite> = askFor<Suite>();
