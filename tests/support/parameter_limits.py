"""The numbers among the parameters that every model has: the API server and the models are held to one table."""

PARAMETER_LIMITS = {
    "maxImageSize": (320, 16_384),
    "targetFaces": (100, 20_000_000),
    "seed": (0, 2**31 - 1),
}
"""The smallest and the largest value that is taken."""
