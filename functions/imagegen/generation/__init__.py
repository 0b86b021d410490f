"""Generation requests: charge, generate, settle."""
