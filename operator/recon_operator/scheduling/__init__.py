"""Which waiting job goes to a worker next, and when each of the others is likely to start."""
