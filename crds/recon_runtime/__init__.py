"""What operator and worker share as processes: settings, log lines, the export of spans, the version.

Not here: anything about jobs, which is the contract's (`recon_api`), and anything that only one side needs.
"""
