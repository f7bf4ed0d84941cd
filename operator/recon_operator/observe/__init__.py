"""What a pass sees of a job outside its resource: one `Observation`, which is made here and nowhere else.

It is read from Redis; the queue's plan, the notes about attempts and what of the spec cannot be read come as inputs.
"""
