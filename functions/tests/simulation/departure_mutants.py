"""Planted bugs in how accounts are deleted."""

from __future__ import annotations

from imagegen.accounts import closing, moving, worker
from imagegen.credits import ledger
from imagegen.credits.account import Account
from imagegen.purchases import buyer, reversing
from simulation.mutant import Mutant

# fmt: off
DEPARTURE_MUTANTS = [
    Mutant("account that is opened again after it was closed", Account.__init__,
           "(not is_new or closures.is_closed(transaction, user_id))", "not is_new"),
    Mutant("payment that opens a closed account again", buyer.of,
           "account = closures.holder(transaction, user_id)", "account = user_id",
           also=(("or transaction[db.user(account)].exists or", "or True or"),)),
    Mutant("refund that does not find the account that has moved", reversing.apply,
           "user_id = closures.holder(transaction, purchase.user_id)",
           "user_id = purchase.user_id"),
    Mutant("account that moves while its requests are open", closing.end_requests,
           "return not db.query(open_query(user_id))", "return True"),
    Mutant("account that moves while a late call may open it", closing.quiet_end,
           " + QUIET", ""),
    Mutant("closing that ends before what is late has come", closing.last_pass_from,
           " + QUIET", ""),
    Mutant("account that moves without its debt", closing.move,
           "if name in held}", "if name in held and name != 'debt'}"),
    Mutant("entry that is lost on its way to the tombstone", moving.ledger,
           'transaction.create(f"{db.entries(tombstone)}/{entry.id}", fields)', "pass"),
    Mutant("prompt that stays with the request of somebody who has left", moving.requests,
           'prompt="",', ""),
    Mutant("image that was late and stays", worker._finish,
           "images.delete_late(closure)", "pass"),
    Mutant("purchases that stay with somebody who has left", moving.purchases,
           'yield from _pages("purchases", {"userId": user_id}, change)', ""),
    Mutant("subscriptions that stay with somebody who has left", moving.purchases,
           'yield from _pages("stripeLinks", {"userId": user_id}, change)', ""),
    Mutant("Stripe's customer that stays when its user has left", moving.belongings,
           "if customer.exists:", "if False:"),
    Mutant("log of operators that names somebody who has left", moving.rename_in_texts,
           '("adminActions", PAGE_SIZE),', ""),
    Mutant("address of somebody who has left in the log of operators", closing.move,
           "emails=list(emails)", "emails=[]"),
    Mutant("user who has left and can sign in", worker.close,
           "_delete_sign_in(user_id)", "pass"),
    Mutant("closing that recovery does not find when its task has died", closing.postpone,
           "clock.now() + DUE_AGAIN_AFTER", "None"),
    Mutant("charge to an account that is closing", ledger.deduct,
           "require_active(account.user)", "pass"),
]
# fmt: on
