/** To whom an event is delivered, and how far each delivery is. */
import type { EventDelivery } from "../../../api/admin-types";
import { Button } from "../../../ui/button";
import { number } from "../../../ui/format";
import { TableScroll } from "../../../ui/table-scroll";
import { When } from "../../../ui/when";
import { DeliveryBadge } from "./delivery-badge";

export function Deliveries({
  deliveries,
  onAgain,
}: {
  deliveries: readonly EventDelivery[];
  onAgain: (endpointId: string) => void;
}) {
  return (
    <section class="card flush" aria-labelledby="deliveries-title">
      <h2 id="deliveries-title">Deliveries</h2>
      <TableScroll labelledBy="deliveries-title">
        <table>
          <thead>
            <tr>
              <th scope="col">To</th>
              <th scope="col">Status</th>
              <th scope="col" class="end wide-cell">
                Attempts
              </th>
              <th scope="col" class="wide-cell">
                Last result
              </th>
              <th scope="col">
                <span class="visually-hidden">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {deliveries.map((delivery) => (
              <tr key={delivery.endpointId}>
                <th scope="row" class="any-length">
                  {delivery.endpointId === "push" ? (
                    "the user’s devices"
                  ) : (
                    <a href={`/events/endpoints/${encodeURIComponent(delivery.endpointId)}`}>
                      {delivery.endpointId}
                    </a>
                  )}
                </th>
                <td>
                  <DeliveryBadge status={delivery.status} />
                  <span class="note narrow-only">
                    {delivery.result} ({number(delivery.attempts)} attempts)
                  </span>
                  {delivery.nextAttemptAt && (
                    <span class="note block">
                      next <When iso={delivery.nextAttemptAt} />
                    </span>
                  )}
                </td>
                <td class="end wide-cell">{number(delivery.attempts)}</td>
                <td class="any-length wide-cell">
                  {delivery.result || <span class="note">–</span>}
                </td>
                <td class="end">
                  {delivery.endpointId !== "push" && (
                    <Button small onClick={() => onAgain(delivery.endpointId)}>
                      Again
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}
