/** A rate and its confidence interval, on a scale from 0 to 100%. */
export function RateBar({ rate, interval }: { rate: number; interval: [number, number] | null }) {
  return (
    <svg class="rate" width="56" height="12" viewBox="0 0 56 12" aria-hidden="true">
      <rect class="rate-track" x="0" y="4" width="56" height="4" rx="2" />
      {interval && (
        <rect
          class="rate-range"
          x={interval[0] * 56}
          y="3"
          width={Math.max(2, (interval[1] - interval[0]) * 56)}
          height="6"
          rx="2"
        />
      )}
      <rect
        class="rate-point"
        x={Math.min(53, Math.max(0, rate * 56 - 1.5))}
        y="0.5"
        width="3"
        height="11"
        rx="1.5"
      />
    </svg>
  );
}
