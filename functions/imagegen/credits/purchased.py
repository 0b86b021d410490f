"""The credits of a purchase: the fields of its document that the ledger writes."""

from imagegen.credits import lots
from imagegen.firestore.stored import Field, Stored, whole_number


class PurchasedCredits(Stored):
    """`purchases/{purchaseId}`: what is bought, and what has become of it."""

    credits = Field("credits", whole_number)
    clawed_back = Field("clawedBack", whole_number, 0)
    clawed_back_lots: Field[lots.Lots] = Field("clawedBackLots", lots.read_parts, ())
    owed = Field("owed", whole_number, 0)
    waived = Field("waived", whole_number, 0)
    expired_credits = Field("expiredCredits", whole_number, 0)
