/** What an administrator can do about a user. */
import type { UserView } from "../../../api/admin-types";
import { Button } from "../../../ui/button";

export type Deed = "grant" | "transfer" | "waive" | "export" | "repair" | "status" | "delete";

export function Actions({
  user: { status, usable },
  debt,
  onChoose,
}: {
  user: UserView["user"];
  debt: number;
  onChoose: (deed: Deed) => void;
}) {
  const isLeaving = status === "closing" || status === "closed";
  return (
    <>
      {/* A grant opens the account of a user who has none. */}
      <Button
        kind="primary"
        icon="create"
        disabled={status !== "active" || !usable}
        onClick={() => onChoose("grant")}
      >
        Grant credits
      </Button>
      {debt > 0 && <Button onClick={() => onChoose("waive")}>Waive the debt</Button>}
      {!usable && <Button onClick={() => onChoose("repair")}>Repair</Button>}
      <Button onClick={() => onChoose("transfer")}>Move purchases</Button>
      <Button onClick={() => onChoose("export")}>Export</Button>
      <Button onClick={() => onChoose("status")} disabled={isLeaving}>
        {status === "disabled" ? "Enable" : "Disable"}
      </Button>
      <Button kind="danger" icon="trash" disabled={isLeaving} onClick={() => onChoose("delete")}>
        Delete
      </Button>
    </>
  );
}
