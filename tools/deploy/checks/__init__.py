"""One function for each thing a deploy needs; it yields what is missing.

A check asks Google and compares; it changes nothing. What it cannot find out (no permission, no
answer, an API that is off) is an `ApiError`, which `deploy.check` turns into a finding.
"""
