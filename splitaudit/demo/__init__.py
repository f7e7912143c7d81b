"""A small dataset made from code, with leaks planted in it and the truth known."""
