/** Dates and times, in the time zone of the browser. */
import { dateAndTime, shortDateTime } from "./format";

/** To the minute; the tooltip has the seconds. */
export function When({ iso }: { iso: string }) {
  return (
    <time dateTime={iso} title={dateAndTime(iso).join(", ")}>
      {shortDateTime(iso)}
    </time>
  );
}

/** To the second, so that entries can be compared. It wraps only between date and time. */
export function ExactTime({ iso }: { iso: string }) {
  const [date, time] = dateAndTime(iso);
  return (
    <time class="exact-time tabular" dateTime={iso}>
      <span>{date},</span> <span>{time}</span>
    </time>
  );
}
