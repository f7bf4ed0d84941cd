"""The effects of a pass: the one writer of `.status`, events, credentials, and orders to workers."""
