/**
 * Lines over time.
 *
 * @module
 */
import { niceMax } from "./nice_max.ts";
import { clockText } from "./time_text.ts";

/** One line. */
export interface Series {
  readonly name: string;
  /** Which of the colours. */
  readonly tone: "accent" | "good" | "bad" | "plain";
  readonly values: readonly number[];
}

const width = 600;
const height = 120;

function numberText(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : String(Number(value.toPrecision(2)));
}

/** A chart. The lines are stretched, the texts are not. */
export function Chart(
  { title, unit, times, series, slots }: {
    readonly title: string;
    readonly unit: string;
    readonly times: readonly number[];
    readonly series: readonly Series[];
    /** Values that fit; the newest is at the right. */
    readonly slots: number;
  },
) {
  const most = niceMax(Math.max(0, ...series.flatMap(({ values }) => values)));
  const now = (values: readonly number[]) => `${numberText(values.at(-1) ?? 0)} ${unit}`;
  const path = (values: readonly number[]) =>
    values.map((value, n) => {
      const x = width - ((values.length - 1 - n) / (slots - 1)) * width;
      const y = height - (value / most) * height;
      return `${n === 0 ? "M" : "L"}${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
    }).join("");
  const said = series.map(({ name, values }) => `${name} ${now(values)}`).join(", ");
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        {series.map(({ name, tone, values }) => (
          <span key={name} class="chart-key">
            <span class={`swatch tone-${tone}`} />
            {name} <span class="num">{now(values)}</span>
          </span>
        ))}
      </figcaption>
      <div class="plot">
        <span class="y-max num" aria-hidden="true">{numberText(most)}</span>
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}: ${said}`}
        >
          <line x1="0" x2={width} y1={height / 2} y2={height / 2} class="grid" />
          {series.map(({ name, tone, values }) => (
            <path
              key={name}
              d={path(values)}
              class={`tone-${tone}`}
            />
          ))}
        </svg>
      </div>
      <div class="x-axis num muted" aria-hidden="true">
        {times.length > slots / 4 && (
          <span style={{ left: `${100 - ((times.length - 1) / (slots - 1)) * 100}%` }}>
            {clockText(times[0]!).slice(0, 8)}
          </span>
        )}
        <span class="last">{times.length > 0 ? clockText(times.at(-1)!).slice(0, 8) : ""}</span>
      </div>
    </figure>
  );
}
