"""Whether Graymill grows well: much that is stored, long tasks, more workers, slow hosts, long runs."""
