"""The grayscaler: the exact gray version."""
