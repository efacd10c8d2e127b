"""`fetcher export`: stored images and the account of a task, as files that training programs read."""
