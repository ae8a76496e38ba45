/** A setting that is shown nowhere: neither by `configMap()`, nor in JSON, nor as text. */
export class Secret<Value = string> {
  readonly #value: Value;

  /**
   * Hides it.
   *
   * @param value What is not to be shown.
   */
  constructor(value: Value) {
    this.#value = value;
  }

  /**
   * Shows it.
   *
   * @returns What is not to be shown.
   */
  reveal(): Value {
    return this.#value;
  }

  /**
   * As text.
   *
   * @returns What is shown in its place.
   */
  toString(): string {
    return "[secret]";
  }

  /**
   * As JSON.
   *
   * @returns Nothing: JSON leaves it out.
   */
  toJSON(): undefined {
    return undefined;
  }
}

/**
 * Hides a setting.
 *
 * @param value The setting, such as a password.
 * @returns It, for whoever calls `reveal()`.
 *
 * @example
 * ```ts
 * import { secret } from "pawl";
 * const password = secret("s3cr3t");
 * console.assert(`${password}` === "[secret]");
 * console.assert(password.reveal() === "s3cr3t");
 * ```
 */
export function secret<Value = string>(value: Value): Secret<Value> {
  return new Secret(value);
}
