"""The hasher: MD5 of the bytes as received."""
