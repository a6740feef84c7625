"""The harbor pair: an invented town with things, vaults and sums, whose base and aligned model share one vocabulary."""
