/**
 * The definitions that the engine carries: they change when it is deployed anew, so they are asked for seldom.
 *
 * @module
 */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { ask } from "./api.ts";
import { type Polled, usePolled } from "./poll.ts";
import type { DefinitionInfo, Page } from "./wire.ts";

const context = createContext<Polled<readonly DefinitionInfo[]> | undefined>(undefined);

/** Gives them to all pages. */
export const DefinitionsProvider = context.Provider;

/** Asks for them. */
export function useAskDefinitions(): Polled<readonly DefinitionInfo[]> {
  return usePolled(
    "definitions",
    async (signal) => (await ask<Page<DefinitionInfo>>("definitions", { signal })).items,
    60_000,
  );
}

/** The definitions as far as they are known. */
export function useDefinitions(): readonly DefinitionInfo[] {
  return useContext(context)?.data ?? [];
}
