"""The aggregator: joins what the others found into one outcome per item."""
