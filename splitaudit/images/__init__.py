"""Pictures: decoded, fingerprinted, searched, verified."""
