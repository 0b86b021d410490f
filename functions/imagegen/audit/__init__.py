"""The audit: whether what is stored about one user adds up.

    I1  no balance is below zero or anything but a whole number
    I2  the balance is the opening balance and the deltas of all entries
    I3  entries are numbered 1, 2, 3, …, and each balanceAfter follows from the one before
    I4  a request has at most one deduction and one refund
    I5  a refund equals its deduction and never stands without it
    I6  a completed request has an image, a deduction and no refund; a failed or canceled one has
        both; an open one has a deduction
    I10 no request stays open past its expiresAt and one run of recovery

`findings` works on plain documents, reads nothing, and does its own arithmetic. It shares with the
ledger only which types of entries there are and their signs: a type that the ledger does not know
is a finding.

The opening balance is what the user document held before its first entry: a user that is created
with credits has no entry for them.
"""
