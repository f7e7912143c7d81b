"""How work is planned, run and kept, whatever the medium."""
