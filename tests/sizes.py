"""How large the tests of the promises are: `PROMISES=whole` as large as promised, otherwise as small as still tells."""

import os


def whole() -> bool:
    """Tell whether the promised sizes are wanted."""
    return os.environ.get("PROMISES") == "whole"
