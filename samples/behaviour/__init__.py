"""What the site does at each kind of path: a visit in, an answer out."""
