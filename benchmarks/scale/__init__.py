"""Questions about size, speed, memory and faults."""
