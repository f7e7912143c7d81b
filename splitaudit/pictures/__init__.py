"""Pictures: from files to matches."""
