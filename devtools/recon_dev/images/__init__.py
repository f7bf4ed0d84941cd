"""What is known of the built images: what they hold, their bills of materials.

Images are built by `make images`, with any builder. Nothing here builds one.
"""
