/**
 * A codec whose work can be recognised: what it makes of a text holds what it makes of each piece of the text.
 *
 * @module
 */
import type { RunRecord } from "../../core/parts/run_record.ts";
import type { Codec } from "../../core/ports/codec.ts";
import type { Host } from "../../core/testing/simulation/host.ts";
import type { ToldEvent } from "../../core/testing/simulation/laws.ts";
import type { World } from "../../core/testing/simulation/world.ts";

const key = 0x5a;

/** Two hexadecimal digits for each character; the data of simulated runs is ASCII. */
export function seal(text: string): string {
  let sealed = "";
  for (let index = 0; index < text.length; index++) {
    sealed += (text.charCodeAt(index) ^ key).toString(16).padStart(2, "0");
  }
  return sealed;
}

function unseal(sealed: string): string {
  let text = "";
  for (let index = 0; index < sealed.length; index += 2) {
    text += String.fromCharCode(parseInt(sealed.slice(index, index + 2), 16) ^ key);
  }
  return text;
}

/** The JSON text of a run's data, sealed or not. */
export function dataTextOf({ sealed, payload }: Pick<RunRecord, "sealed" | "payload">): string {
  return sealed ? unseal(JSON.parse(payload) as string) : payload;
}

const noKey = "there is no key";

/** Whether history may tell of an attempt that this codec has failed; a store that does not take it puts its own word. */
export function isCodecFailure({ error }: ToldEvent): boolean {
  return error?.message === noKey || error?.code === "LIMIT_EXCEEDED";
}

/** The codec of a host: it asks somebody for the key, which takes a while, and may fail. */
export function codecOf(world: World, host: Host): Codec {
  const withKey = (act: () => string): string | Promise<string> => {
    if (world.strikes("codec throws")) throw new Error(noKey);
    // The audit takes place when time stands still.
    if (!world.chance(0.3) || host.engineId === "") return act();
    return host.sleep(world.between(0, 20)).then(() => {
      if (world.strikes("codec throws")) throw new Error(noKey);
      return act();
    });
  };
  return {
    encode: (text) => withKey(() => seal(text)),
    decode: (text) => withKey(() => unseal(text)),
  };
}
