"""The contract between people, the operator and the workers.

Models of the resource (`spec`, `status`, `resource`), of what travels over Redis (`payload`, `keys`, `cancellation`),
the reasons that a status can name (`reasons`) and the errors by whose move it is (`errors`).

Not here: anything that decides, any Kubernetes client, any Celery. This package imports pydantic (and pydantic_core), redis,
cryptography (which seals a Secret's values on their way) and the standard library only, so that both sides and any third
program can use it.
"""
