/** A small line chart. The value at `at` is marked; null values leave a gap. */
export function Sparkline({ values, at }: { values: readonly (number | null)[]; at: number }) {
  const width = 96;
  const height = 28;
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <span class="sparkline" aria-hidden="true" />;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const x = (index: number) => 3 + (index / Math.max(1, values.length - 1)) * (width - 6);
  const y = (value: number) =>
    high === low ? height / 2 : height - 4 - ((value - low) / (high - low)) * (height - 8);
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
    <svg
      class="sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
    >
      <path d={path} />
      {here !== null && here !== undefined && <circle cx={x(at)} cy={y(here)} r="2.5" />}
    </svg>
  );
}
