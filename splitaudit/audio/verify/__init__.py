"""Whether two sounds share a recording, and from where to where."""
