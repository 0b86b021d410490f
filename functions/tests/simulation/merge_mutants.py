"""Planted bugs in how accounts are merged, and in transfers between accounts."""

from __future__ import annotations

from imagegen.accounts import closing, merge, money, moving
from imagegen.credits import closures, ledger
from imagegen.purchases import checkout
from simulation.mutant import Mutant

# fmt: off
MERGE_MUTANTS = [
    Mutant("merge that leaves the debt", money._move,
           "debt=source.debt,", "debt=0,"),
    Mutant("merge that moves free credits", money._move,
           "for lot in source.lots if lot.is_paid]", "for lot in source.lots]"),
    Mutant("merge that forgets the purchases", money._move,
           "for document in bought:", "for document in ():"),
    Mutant("merge that forgets the subscriptions", money._move,
           "for document in linked:", "for document in ():"),
    Mutant("merge that forgets Stripe's customer", money._move,
           "_move_customer(transaction, from_user_id, to_user_id)", "pass"),
    Mutant("customer who has gone to another user", checkout._keep_customer,
           "if link.exists and link.user_id != user_id:", "if False:"),
    Mutant("debt that is not paid from what a merge brings", money._move,
           "clawback.collect(target)\n", "pass\n"),
    Mutant("debt that a merge brings and that is not paid", money._move,
           "clawback.collect(target, *owing)", "pass"),
    Mutant("merge that moves again when it is repeated", merge.merge,
           "if closure.exists:", "if False:",
           also=(("require_active(Account(transaction, user_id, moment).user)",
                  "Account(transaction, user_id, moment)"),)),
    Mutant("merge into another account than the first time", merge.merge,
           "if closure.merged_into != to_user_id:", "if False:"),
    Mutant("merges at once that go in a circle", money._move,
           "target.update(updated_at=moment)", "pass"),
    Mutant("repeated merge that does not see that the other account has gone", merge.merge,
           "if not transaction[target].exists:  # it", "if False:  # it"),
    Mutant("late refund that stays with a merged account", closing.move,
           "money.move(transaction, user_id, into, moment, key=money.key_of(closure.id))", "pass"),
    Mutant("payment for a merged account that goes to its tombstone", closures.holder,
           "if closure.merged_into is None:", "if True:"),
    Mutant("checkout of a merged account that goes to its tombstone", moving.purchases,
           "holder = holder_of(transaction, closure)", "holder = closure.tombstone"),
    Mutant("merged account that stays with the tombstone of one that was merged, too",
           moving.merged, "holder = holder_of(transaction, closure)", "holder = closure.tombstone"),
    Mutant("lot that never expires once it has moved", ledger.transfer,
           'id=f"{in_id}-{number}")', 'id=f"{in_id}-{number}", expires_at=None)'),
    Mutant("repeated merge that tells of nothing", merge.merge,
           "transferred = closure.merged_credits", "transferred = 0"),
    Mutant("transfer that forgets its key", merge.transfer,
           "if any(action.exists for action in done):", "if False:"),
    Mutant("transfer under the key of another", merge.transfer,
           'if [each.get("transferId") for each in told] != [transfer_id, transfer_id]:',
           "if not told:"),
    Mutant("repeated transfer that tells of nothing", merge.transfer,
           'transferred = told[1]["credits"]', "transferred = 0"),
    Mutant("repeated transfer that does not see that the other account has gone", merge.transfer,
           "if not transaction[db.user(to_user_id)].exists:  # it", "if False:  # it"),
    Mutant("transfer that is logged for one of the two", merge.transfer,
           "zip(users, (-transferred, transferred), strict=True)", "zip(users, (-transferred,))"),
]
# fmt: on
