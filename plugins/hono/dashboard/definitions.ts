/**
 * The definitions that the engine carries: they change when it is deployed anew, so they are asked for seldom.
 *
 * @module
 */
import type { DefinitionView } from "../contract.ts";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { ask } from "./api.ts";
import { type Polled, usePolled } from "./poll.ts";
import type { Page } from "./wire.ts";

const context = createContext<Polled<readonly DefinitionView[]> | undefined>(undefined);

/** Gives them to all pages. */
export const DefinitionsProvider = context.Provider;

/** Asks for them. */
export function useAskDefinitions(): Polled<readonly DefinitionView[]> {
  return usePolled(
    "definitions",
    async (signal) => (await ask<Page<DefinitionView>>("definitions", { signal })).items,
    60_000,
  );
}

/** The definitions as far as they are known. */
export function useDefinitions(): readonly DefinitionView[] {
  return useContext(context)?.data ?? [];
}
