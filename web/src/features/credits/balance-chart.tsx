/** The balance over time. uPlot draws thousands of steps on a canvas. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { number } from "../../ui/format";
import { useWidth } from "../../ui/hooks";
import { color, painted } from "../../ui/theme";
import { balanceRange } from "./ledger";

const HEIGHT = 220;

export function Chart({ series, label }: { series: [number[], number[]]; label: string }) {
  const [measure, width] = useWidth();
  const place = useRef<HTMLDivElement>(null);
  const repaint = painted.value;
  useEffect(() => {
    if (!place.current || width === 0) return;
    const chart = new uPlot(options(width), series, place.current);
    return () => chart.destroy();
  }, [series, width, repaint]);
  return (
    <div
      class="chart"
      ref={measure}
      role="img"
      aria-label={label}
      style={{ minHeight: `${HEIGHT}px` }}
    >
      <div ref={place} />
    </div>
  );
}

function options(width: number): uPlot.Options {
  const ink = color("--muted");
  const line = color("--line");
  const accent = color("--accent");
  const font = "12px Geist, system-ui, sans-serif";
  return {
    width,
    height: HEIGHT,
    padding: [10, 26, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 7, fill: accent } },
    legend: { show: false },
    scales: { y: { range: (_, low, high) => balanceRange(low, high) } },
    axes: [
      {
        stroke: ink,
        font,
        grid: { show: false },
        ticks: { stroke: line, size: 4 },
        space: 70,
        size: 30,
        values: dates,
      },
      {
        stroke: ink,
        font,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        size: (_: uPlot, labels: string[] | null) => axisWidth(labels ?? []),
        incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000],
        values: (_, ticks) => ticks.map(number),
      },
    ],
    series: [
      {},
      {
        stroke: accent,
        width: 2,
        paths: uPlot.paths.stepped?.({ align: 1 }) ?? null,
        points: { show: false },
      },
    ],
    hooks: { init: [tooltip] },
  } as uPlot.Options;
}

const axisWidth = (labels: string[]): number =>
  Math.max(48, 14 + 7 * Math.max(0, ...labels.map((label) => label.length)));

function dates(_: uPlot, ticks: number[]): string[] {
  const stretch = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0);
  const format =
    stretch > 2 * 86_400
      ? new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" })
      : new Intl.DateTimeFormat("en-GB", {
          hour: "2-digit",
          minute: "2-digit",
          ...(stretch < 300 && { second: "2-digit" as const }),
        });
  return ticks.map((seconds) => format.format(seconds * 1000));
}

/** Shows the balance at the pointer. */
function tooltip(chart: uPlot): void {
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  tip.hidden = true;
  chart.over.append(tip);
  const format = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
  const show = () => {
    const { idx, left } = chart.cursor;
    const at = idx === null || idx === undefined ? undefined : chart.data[0]?.[idx];
    const balance = idx === null || idx === undefined ? undefined : chart.data[1]?.[idx];
    tip.hidden = at === undefined || balance === undefined || balance === null || (left ?? -1) < 0;
    if (tip.hidden || at === undefined || balance === undefined || balance === null) return;
    tip.textContent = `${number(balance)} · ${format.format(at * 1000)}`;
    const x = chart.valToPos(at, "x");
    tip.style.transform = `translate(${Math.min(Math.max(x - tip.offsetWidth / 2, 0), chart.over.clientWidth - tip.offsetWidth)}px, 0)`;
  };
  chart.over.addEventListener("mousemove", show);
  chart.over.addEventListener("mouseleave", () => {
    tip.hidden = true;
  });
}
