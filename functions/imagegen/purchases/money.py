"""Amounts of money: providers count them in the currency's smallest unit."""

from decimal import Decimal

# Currencies whose smallest unit is not a hundredth: https://docs.stripe.com/currencies
DECIMALS = {
    **dict.fromkeys(("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"), 0),
    **dict.fromkeys(("pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"), 0),
    **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3),
}


def smallest_units(price: float | Decimal, currency: str) -> int:
    """499 for 4.99 in usd, 500 for 500 in jpy. `currency` is in lower case."""
    return round(Decimal(str(price)).scaleb(_decimals(currency)))


def shown(amount: int, currency: str) -> str:
    """4.99 USD for 499 cents; without a currency the bare number of hundredths."""
    decimals = _decimals(currency)
    return f"{Decimal(amount).scaleb(-decimals):,.{decimals}f} {currency.upper()}".rstrip()


def _decimals(currency: str) -> int:
    return DECIMALS.get(currency, 2)
