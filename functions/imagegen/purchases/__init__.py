"""Purchases: money that payment providers have verified, and the credits it bought."""
