"""The fetcher: downloads what was submitted; also the command line."""
