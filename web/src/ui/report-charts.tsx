/** A report's small charts, as SVG: few marks, sharp on paper, readable without a pointer. */
import { compact, day, number } from "../format";
import type { Band } from "../report";
import { useWidth } from "../use";

/** The last value is the week on screen; weeks without a number leave a gap. */
export function Sparkline({ values, at }: { values: readonly (number | null)[]; at: number }) {
  const width = 96;
  const height = 28;
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <span class="sparkline" aria-hidden="true" />;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const x = (index: number) => 3 + (index / Math.max(1, values.length - 1)) * (width - 6);
  const y = (value: number) => (high === low ? height / 2 : height - 4 - ((value - low) / (high - low)) * (height - 8));
  let path = "";
  let pen = "M";
  values.forEach((value, index) => {
    if (value === null) pen = "M";
    else {
      path += `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  });
  const here = values[at];
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path d={path} />
      {here !== null && here !== undefined && <circle cx={x(at)} cy={y(here)} r="2.5" />}
    </svg>
  );
}

export interface Bar {
  date: string;
  value: number;
  /** The part of it at the bar's foot drawn in the colour of failures. */
  failed?: number;
  band?: Band | undefined;
  flagged: boolean;
}

/** Seven bars; behind each, where it was expected to end. */
export function DailyBars({ bars, noun }: { bars: readonly Bar[]; noun: string }) {
  const [measure, measured] = useWidth();
  const width = measured || 640;
  const height = 240;
  const left = 44;
  const bottom = 28;
  const top = 14;
  const step = (width - left) / Math.max(1, bars.length);
  const peak = niceAbove(Math.max(1, ...bars.map((bar) => Math.max(bar.value, bar.band?.high ?? 0))));
  const y = (value: number) => top + (1 - value / peak) * (height - top - bottom);
  const barWidth = Math.min(46, step * 0.52);
  const describe = (bar: Bar) =>
    `${day(bar.date)}: ${number(bar.value)} ${noun}` + (bar.band ? `, expected ${number(bar.band.expected)} (${number(bar.band.low)} to ${number(bar.band.high)})` : "") + (bar.failed ? `, ${number(bar.failed)} failed` : "");
  return (
    <figure class="bars" ref={measure}>
      <svg width="100%" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={bars.map(describe).join("; ")}>
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <g key={part}>
            <line class="rule" x1={left} x2={width} y1={y(peak * part)} y2={y(peak * part)} />
            <text class="tick" x={left - 8} y={y(peak * part) + 4} text-anchor="end">
              {compact(peak * part)}
            </text>
          </g>
        ))}
        {bars.map((bar, index) => {
          const middle = left + step * (index + 0.5);
          return (
            <g key={bar.date} class={bar.flagged ? "flagged" : ""}>
              <title>{describe(bar)}</title>
              {bar.band && <rect class="band" x={middle - step * 0.42} width={step * 0.84} y={y(bar.band.high)} height={Math.max(2, y(bar.band.low) - y(bar.band.high))} rx="4" />}
              <rect class="bar" x={middle - barWidth / 2} width={barWidth} y={y(bar.value)} height={Math.max(0, y(0) - y(bar.value))} rx="3" />
              {bar.failed ? <rect class="bar-failed" x={middle - barWidth / 2} width={barWidth} y={y(bar.failed)} height={y(0) - y(bar.failed)} /> : null}
              {bar.band && <line class="expected" x1={middle - step * 0.42} x2={middle + step * 0.42} y1={y(bar.band.expected)} y2={y(bar.band.expected)} />}
              {bar.flagged && (
                <text class="flag" x={middle} y={y(Math.max(bar.value, bar.band?.high ?? 0)) - 5} text-anchor="middle">
                  {number(bar.value)}
                </text>
              )}
              <text class="tick" x={middle} y={height - 8} text-anchor="middle">
                {step < 62 ? day(bar.date).slice(0, 3) : day(bar.date)}
              </text>
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

/** The next number above `value` that divides well into quarters. */
export function niceAbove(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((each) => each * unit >= value) ?? 10;
  return Math.max(4, step * unit);
}

/** A rate and how well it is known, on a scale from 0 to 100 %. */
export function RateBar({ rate, interval }: { rate: number; interval: [number, number] | null }) {
  return (
    <svg class="rate" width="56" height="12" viewBox="0 0 56 12" aria-hidden="true">
      <rect class="rate-track" x="0" y="4" width="56" height="4" rx="2" />
      {interval && <rect class="rate-range" x={interval[0] * 56} y="3" width={Math.max(2, (interval[1] - interval[0]) * 56)} height="6" rx="2" />}
      <rect class="rate-point" x={Math.min(53, Math.max(0, rate * 56 - 1.5))} y="0.5" width="3" height="11" rx="1.5" />
    </svg>
  );
}
