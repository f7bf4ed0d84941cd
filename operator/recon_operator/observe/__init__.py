"""What a pass sees of a job outside its resource: one `Observation`, read from Redis."""
