/**
 * What the pages of locks share.
 *
 * @module
 */
import { useEffect } from "preact/hooks";
import { currentSettings, setSettings } from "./settings.ts";
import type { LockView } from "./wire.ts";

/** Where locks are unless they are told otherwise. */
export const defaultNamespace = "default";

/** Namespaces that this browser keeps. */
const namespacesMax = 20;

/** The API lists the locks of a namespace, and no namespaces: those that were looked at are kept. */
export function useKeepNamespace(namespace: string, isKnown: boolean): void {
  useEffect(() => {
    const { namespaces } = currentSettings();
    if (!isKnown || namespace === defaultNamespace || namespaces.includes(namespace)) return;
    setSettings({ namespaces: [namespace, ...namespaces].slice(0, namespacesMax) });
  }, [namespace, isKnown]);
}

/** How many permits are taken. */
export function heldText({ holders, permits }: Pick<LockView, "holders" | "permits">): string {
  return `${holders.reduce((sum, each) => sum + each.permits, 0)} of ${permits}`;
}
