"""Small pictures: registered whole, and what is left compared."""
