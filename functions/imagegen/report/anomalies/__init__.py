"""What was out of the ordinary in a week: pure rules, without input or output."""
