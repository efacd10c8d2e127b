"""A local site of pictures, well behaved and hostile, that stands in for the internet on loopback."""
