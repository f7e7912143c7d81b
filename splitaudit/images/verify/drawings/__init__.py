"""Pages, charts, screens, flags, icons: what two of them differ in, at their own size."""
