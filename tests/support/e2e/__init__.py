"""What the end-to-end tests share: a real cluster, installations of the chart on it, their volumes, and what to show of a failure."""
