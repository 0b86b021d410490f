"""Moving what was paid for from one account to another: its lots, purchases, links and debt.

Free credits stay where they are: accounts can be made by the dozen, trials must not add up.
"""

import hashlib
import json
from datetime import datetime

from imagegen import db
from imagegen.credits import clawback, ledger
from imagegen.credits.account import Account
from imagegen.firestore.store import Query
from imagegen.purchases import links
from imagegen.purchases.links import CustomerDocument, LinkDocument
from imagegen.purchases.purchase import PurchaseDocument

MOST_DOCUMENTS = 200  # purchases, and links, that are moved in one transaction


def key_of(closure_id: str) -> str:
    """The key of the entries by which a merged account gives away what was paid for."""
    return f"merge-{closure_id[:32]}"


def transfer_id(from_user_id: str, to_user_id: str, key: str) -> str:
    """The key of the entries of a transfer to which an operator has given `key`."""
    content = json.dumps([from_user_id, to_user_id, key])
    return f"transfer-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def move(
    transaction: db.Transaction,
    from_user_id: str,
    to_user_id: str,
    moment: datetime,
    *,
    key: str,
) -> int:
    """Move the paid lots, the debt, the purchases and the links of one user to another.

    What one of the two owes is taken from what the other has bought. How many credits have moved is
    returned. What comes back to the first account later, by refunds of its requests, can be moved
    again under the same key: the entries are numbered.

    Raises UserNotFound; ValueError for more than MOST_DOCUMENTS purchases or links.
    """
    number = Account(transaction, from_user_id, moment).next_number
    return _move(
        transaction, from_user_id, to_user_id, moment, key=f"{key}-{number}", reason="merged"
    )


def transfer(
    transaction: db.Transaction,
    from_user_id: str,
    to_user_id: str,
    moment: datetime,
    *,
    key: str,
    reason: str,
) -> int:
    """The same as `move`, as an operator asks for it; the caller makes sure that it is done once.

    Raises ValueError also where there is nothing to move, as no entry would say that it was tried.
    """
    if not any(lot.is_paid for lot in Account(transaction, from_user_id, moment).lots):
        raise ValueError(f"{from_user_id} holds no credits that were paid for")
    return _move(transaction, from_user_id, to_user_id, moment, key=key, reason=reason)


def _move(
    transaction: db.Transaction,
    from_user_id: str,
    to_user_id: str,
    moment: datetime,
    *,
    key: str,
    reason: str,
) -> int:
    source = Account(transaction, from_user_id, moment)
    paid = [lot.id for lot in source.lots if lot.is_paid]
    # Whoever books a purchase writes the user, too, so that this is decided again.
    bought = transaction.found(db.query(purchases_query(from_user_id)))
    linked = transaction.found(db.query(links_query(from_user_id)))
    if max(len(bought), len(linked)) > MOST_DOCUMENTS:
        raise ValueError(f"{from_user_id} has more than {MOST_DOCUMENTS} purchases or links")
    moved = ledger.transfer(
        transaction,
        from_user_id,
        to_user_id,
        paid,
        moment,
        key=key,
        reason=reason,
        debt=source.debt,
    )
    for document in bought:
        fields = PurchaseDocument.fields(user_id=to_user_id, updated_at=moment)
        transaction.update(document.path, fields)
    for document in linked:
        fields = LinkDocument.fields(user_id=to_user_id, updated_at=moment)
        transaction.update(document.path, fields)
    _move_customer(transaction, from_user_id, to_user_id)
    target = Account(transaction, to_user_id, moment)
    # Also where no credits have moved: else this could miss that the other account is closing, so
    # that purchases stay behind, and two accounts that are merged at once both close.
    target.update(updated_at=moment)
    clawback.collect(target)
    if owing := [document.id for document in bought if document.get("owed")]:
        clawback.collect(target, *owing)
    return moved


def purchases_query(user_id: str) -> Query:
    where = [("userId", "==", user_id)]
    return Query("purchases", where=where, limit=MOST_DOCUMENTS + 1)


def links_query(user_id: str) -> Query:
    where = [("userId", "==", user_id)]
    return Query("stripeLinks", where=where, limit=MOST_DOCUMENTS + 1)


def _move_customer(transaction: db.Transaction, from_user_id: str, to_user_id: str) -> None:
    """Stripe's customer goes along, unless the other user is one, too."""
    theirs = transaction[links.customer_path(from_user_id)]
    other = transaction[links.customer_path(to_user_id)]
    if not theirs.exists:
        return
    if not other.exists:
        customer = CustomerDocument(theirs)
        fields = CustomerDocument.fields(
            customer=customer.customer, is_live=customer.is_live, created_at=customer.created_at
        )
        transaction.create(other.path, fields)
    transaction.delete(theirs.path)
