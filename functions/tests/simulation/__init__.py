"""imagegen in a world where everything that can go wrong does, by the seed of a random source."""
