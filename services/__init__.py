"""The services of Graymill, one folder each: a folder's name is also its queue, logger and container."""
