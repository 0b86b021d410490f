/** The purchases of a user, newest first. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import { listen } from "../../api/firebase";
import type { Purchase } from "../../api/types";
import { type Page, type Paged, usePaged } from "../../ui/paged";

const PAGE_SIZE = 10;

/** Those of the signed-in user (`own`) are loaded again when one changes. */
export function usePurchases(userId: string, own: boolean): Paged<Purchase> {
  // Only the owner may listen. The listener tells of the start, too: nothing is loaded twice.
  const [told, setTold] = useState(own ? 0 : 1);
  useEffect(() => {
    if (!own) return;
    const tell = () => setTold((times) => times + 1);
    return listen((db, store) => store.watchPurchases(db, userId, tell, tell), tell);
  }, [userId, own]);
  const load = async (pageToken?: string): Promise<Page<Purchase>> => {
    const page = await call("listPurchases", { userId, pageSize: PAGE_SIZE, pageToken });
    return { items: page.purchases, nextPageToken: page.nextPageToken };
  };
  return usePaged((pageToken) => (told ? load(pageToken) : NOT_YET), [userId, told]);
}

const NOT_YET = new Promise<never>(() => {});
