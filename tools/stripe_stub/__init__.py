"""A stand-in for Stripe on this machine: checkout, portal, refunds, disputes, signed events.

It keeps everything in memory and knows the shapes of API version 2026-10-28.endive. Whatever it
does not know is answered 404, as Stripe answers an address that does not exist.
"""
