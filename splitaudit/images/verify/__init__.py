"""Whether two pictures are one exposure, and how one lies in the other."""
