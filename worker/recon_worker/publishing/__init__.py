"""How a finished result is sealed, published and removed, whole or not at all."""
