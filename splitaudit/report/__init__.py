"""The report: counts, sentences, and how they look on the screen and in a page."""
