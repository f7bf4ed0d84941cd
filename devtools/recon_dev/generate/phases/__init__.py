"""The reference page of what happens to a job in each phase, made by letting the operator's own `decide` decide.

`world` is a job with what the operator sees of it; `scenarios` are what can happen to it; `situations` and `rows` are
the table's columns and rows; `page` writes it all down. No time passes and nothing runs: everything is a plain value.
"""
