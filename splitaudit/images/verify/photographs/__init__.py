"""Photographs: local features registered, blocks compared."""
