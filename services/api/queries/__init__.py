"""What the API asks of MongoDB: plain values in, frozen values out. Nothing here has heard of HTTP."""
