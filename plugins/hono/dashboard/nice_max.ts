/**
 * The end of an axis that a value fits on: 1, 2 or 5 times a power of ten.
 *
 * @param value The greatest value; nothing gives 1.
 */
export function niceMax(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * power >= value) ?? 10) * power;
}
