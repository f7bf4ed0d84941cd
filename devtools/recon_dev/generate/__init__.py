"""Files made from the code: the CRD and the reference pages. `make generate` writes them, `make check` compares them.

Each module here makes one page, as a function that returns its text.
"""
