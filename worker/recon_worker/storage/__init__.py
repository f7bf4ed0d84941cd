"""Where the files of a job are stored: a shared volume, or a bucket."""
