"""What people would pick instead: each tool in a virtual environment of its own, as pinned in `requirements`."""
