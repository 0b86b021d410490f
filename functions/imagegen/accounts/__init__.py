"""Accounts: how they are disabled, deleted, exported and merged."""
