"""Native code run in processes of its own, so that it can be stopped within milliseconds and can't take the worker along.

Each module here is one tool: `python -m recon_worker.tools.<name> REQUEST.json`. `recon_worker.tools.runner` runs it: a
new process group, killed as a group on a cancellation, dying with its parent; JSON lines on its standard output are its
progress; its exit tells of success, a documented error, or a crash.
"""
