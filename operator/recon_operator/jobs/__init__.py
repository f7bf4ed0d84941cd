"""The jobs in memory: parsed, cached with the status that holds, and queued for a pass.

No request is made here.
"""
