/**
 * The types of Standard Schema v1 (https://standardschema.dev), which zod, valibot, arktype and others implement. They
 * are written out here, as that specification asks, so that no package is needed for them.
 *
 * @module
 */

/** A schema of any library that implements Standard Schema v1, or one made by hand. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the specification asks for. */
  readonly "~standard": {
    /** Of the specification. */
    readonly version: 1;
    /** Name of the library. */
    readonly vendor: string;
    /** Checks a value, and gives it as the schema makes it: with defaults, without what is unknown. */
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
    /** For the compiler only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

/** What a schema has against a value. */
export interface StandardSchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
