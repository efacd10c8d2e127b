"""Benchmarks: how fast the whole pipeline is, and what each process spends."""
