/** What stands where something is loaded: its outline, or why it is not there. */
import { Failure } from "./failure";
import { Skeleton } from "./page";
import type { Resource } from "./resource";

export function Loading({
  resource,
  height,
}: {
  resource: Pick<Resource<unknown>, "error" | "reload">;
  height: string;
}) {
  return resource.error ? (
    <Failure error={resource.error} onRetry={resource.reload} />
  ) : (
    <Skeleton height={height} />
  );
}
