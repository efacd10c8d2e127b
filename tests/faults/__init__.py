"""Fault tests, as a package: its world ends with its last test."""
