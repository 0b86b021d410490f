"""Models, styles, colours, sizes and prices on offer."""
