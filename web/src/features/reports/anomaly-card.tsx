import type { Anomaly } from "../../api/report";
import { Badge } from "../../ui/badge";
import { compact, day, percent } from "../../ui/format";

const STATUS_WORDS: Record<Anomaly["status"], string> = {
  new: "",
  ongoing: "ongoing",
  new_level: "new level",
};

export function AnomalyCard({ anomaly }: { anomaly: Anomaly }) {
  const drivers = anomaly.contributions
    .filter((each) => each.share - each.usualShare > 0.1)
    .slice(0, 3);
  return (
    <li class={`anomaly ${anomaly.severity}`}>
      <div class="anomaly-head">
        <Badge tone={`severity-${anomaly.severity}`}>{anomaly.severity}</Badge>
        {STATUS_WORDS[anomaly.status] && <span class="tag">{STATUS_WORDS[anomaly.status]}</span>}
        <span class="anomaly-scope">
          {anomaly.scope === "day" && anomaly.date ? day(anomaly.date) : "whole week"}
        </span>
      </div>
      <p class="anomaly-message">{anomaly.message}</p>
      {anomaly.range && <Gauge anomaly={anomaly} range={anomaly.range} />}
      {drivers.length > 0 && (
        <ul class="drivers" aria-label="Where the change comes from">
          {drivers.map((driver) => (
            <li key={driver.name + driver.value}>
              <span>
                {driver.name} <strong>{driver.value}</strong>
              </span>
              <span class="note">
                {percent(Math.min(1, driver.share), 0)} of the change, usually{" "}
                {percent(driver.usualShare, 0)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** The actual value, drawn against its expected range. */
function Gauge({ anomaly, range }: { anomaly: Anomaly; range: [number, number] }) {
  const isRate = anomaly.metric.endsWith("Rate");
  const show = (value: number) => (isRate ? percent(value) : compact(value));
  const top = Math.max(anomaly.actual, range[1]) * 1.08 || 1;
  const at = (value: number) => `${Math.min(100, (value / top) * 100)}%`;
  return (
    <div class="gauge">
      <div class="gauge-track" aria-hidden="true">
        <span
          class="gauge-range"
          style={{ left: at(range[0]), width: `${((range[1] - range[0]) / top) * 100}%` }}
        />
        {anomaly.expected !== null && (
          <span class="gauge-expected" style={{ left: at(anomaly.expected) }} />
        )}
        <span class="gauge-actual" style={{ left: at(anomaly.actual) }} />
      </div>
      <dl class="gauge-words">
        <div>
          <dt>Actual</dt>
          <dd>{show(anomaly.actual)}</dd>
        </div>
        {anomaly.expected !== null && (
          <div>
            <dt>Expected</dt>
            <dd>{show(anomaly.expected)}</dd>
          </div>
        )}
        <div>
          <dt>Normal range</dt>
          <dd>
            {show(range[0])}–{show(range[1])}
          </dd>
        </div>
      </dl>
    </div>
  );
}
