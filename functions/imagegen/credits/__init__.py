"""The ledger, limits and statements."""
