import type { Page } from "puppeteer-core";
import type { Suite } from "./pages/suite.ts";

/** Calls something of the page's suite. */
export function ask<Name extends keyof Suite>(
  tab: Page,
  name: Name,
  ...args: Parameters<Suite[Name]>
): Promise<Awaited<ReturnType<Suite[Name]>>> {
  const call = (name: string, args: readonly unknown[]) => {
    const { suite } = globalThis as unknown as { suite: Record<string, (...args: unknown[]) => unknown> };
    return suite[name]!(...args);
  };
  return tab.evaluate(call, name, args) as Promise<Awaited<ReturnType<Suite[Name]>>>;
}
