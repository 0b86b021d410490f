"""Real servers under mixed traffic, with a network that fails and kills in between."""
