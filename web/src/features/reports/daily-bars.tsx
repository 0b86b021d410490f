import type { Band } from "../../api/report";
import { compact, day, number } from "../../ui/format";
import { useWidth } from "../../ui/hooks";

export interface Bar {
  date: string;
  value: number;
  /** How many of them failed: drawn at the foot of the bar. */
  failed?: number;
  band?: Band | undefined;
  flagged: boolean;
}

/** A bar for each day, with the expected range behind it. */
export function DailyBars({ bars, noun }: { bars: readonly Bar[]; noun: string }) {
  const [measure, measured] = useWidth();
  const width = measured || 640;
  const height = 240;
  const left = 44;
  const bottom = 28;
  const top = 14;
  const step = (width - left) / Math.max(1, bars.length);
  const peak = niceAbove(
    Math.max(1, ...bars.map((bar) => Math.max(bar.value, bar.band?.high ?? 0))),
  );
  const y = (value: number) => top + (1 - value / peak) * (height - top - bottom);
  const barWidth = Math.min(46, step * 0.52);
  const describe = (bar: Bar) =>
    [
      `${day(bar.date)}: ${number(bar.value)} ${noun}`,
      bar.band &&
        `expected ${number(bar.band.expected)} (${number(bar.band.low)} to ${number(bar.band.high)})`,
      bar.failed && `${number(bar.failed)} failed`,
    ]
      .filter(Boolean)
      .join(", ");
  return (
    <figure class="bars" ref={measure}>
      <svg
        width="100%"
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={bars.map(describe).join("; ")}
      >
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
              {bar.band && (
                <rect
                  class="band"
                  x={middle - step * 0.42}
                  width={step * 0.84}
                  y={y(bar.band.high)}
                  height={Math.max(2, y(bar.band.low) - y(bar.band.high))}
                  rx="4"
                />
              )}
              <rect
                class="bar"
                x={middle - barWidth / 2}
                width={barWidth}
                y={y(bar.value)}
                height={Math.max(0, y(0) - y(bar.value))}
                rx="3"
              />
              {bar.failed ? (
                <rect
                  class="bar-failed"
                  x={middle - barWidth / 2}
                  width={barWidth}
                  y={y(bar.failed)}
                  height={y(0) - y(bar.failed)}
                />
              ) : null}
              {bar.band && (
                <line
                  class="expected"
                  x1={middle - step * 0.42}
                  x2={middle + step * 0.42}
                  y1={y(bar.band.expected)}
                  y2={y(bar.band.expected)}
                />
              )}
              {bar.flagged && (
                <text
                  class="flag"
                  x={middle}
                  y={y(Math.max(bar.value, bar.band?.high ?? 0)) - 5}
                  text-anchor="middle"
                >
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

/** The next round number above `value` that divides into quarters. */
export function niceAbove(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((each) => each * unit >= value) ?? 10;
  return Math.max(4, step * unit);
}
