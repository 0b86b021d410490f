"""The audit: whether what is stored about one user adds up.

    I1  no balance is below zero or anything but a whole number
    I2  the balance is the opening balance and the deltas of all entries
    I3  entries are numbered 1, 2, 3, …, and each balanceAfter follows from the one before
    I4  a request has at most one deduction and one refund
    I5  a refund equals its deduction and never stands without it
    I6  a completed request has an image, a deduction and no refund; a failed or canceled one has
        both; an open one has a deduction; each has a user, a price and the time of its charge
    I10 no request stays open past its expiresAt and one run of recovery
    I12 what is left of a bought lot follows from the entries; a request and its deduction say the
        same parts of lots, which add up to its price
    I13 a purchase that is paid has come in once, with all its credits; what it says was taken back
        is what the entries took back, and with what is owed or waived no more than was bought
    I14 no request is paid from a lot that had expired
    I15 debt is a whole number from zero on, and what the user's purchases owe

Money that has bought nothing yet, and a refund whose payment is not known, are warnings: the books
are right, but somebody has to see to it.

`findings` works on plain documents, reads nothing, and does its own arithmetic. It shares with the
ledger only which types of entries there are and their signs, and how a lot is stored: a type that
the ledger does not know is a finding, like a document that lacks a field or holds one that makes
no sense.

The opening balance is what the user document held before its first entry: a user that is created
with credits has no entry for them.
"""
