"""What operators do on a terminal."""
