"""What is written about items: captions, keys, spans of a source."""
