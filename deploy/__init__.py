"""Ways to run Graymill; each folder here is one."""
