"""One attempt at a job, in the child process: its lease, its progress, its result."""
