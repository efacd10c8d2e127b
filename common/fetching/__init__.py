"""A URL in, the bytes of its answer out: addresses checked, every step bounded, every failure a reason."""
