/**
 * What the tests of integrations share.
 *
 * @module
 */
import { integration, type IntegrationOptions, machine } from "../../mod.ts";

/** A machine of an integration of that name. */
export const lettersOf = (name: string) =>
  machine<{ to: string }>(`${name}.letters`).step("written", ["sent"], () => "sent").build();

/** What an integration may have beside what all of these tests have. */
export type More = Partial<Omit<IntegrationOptions<{ from: string }, []>, "name" | "config" | "definitions">>;

/** An integration that tells what it does. */
export function telling(name: string, told: string[], more: More = {}) {
  return integration({
    name,
    config: { from: `${name}@example.com` },
    definitions: (of) => [lettersOf(of.name)],
    init: ({ config }) => void told.push(`init ${config.from}`),
    close: ({ config }) => void told.push(`close ${config.from}`),
    ...more,
  });
}
