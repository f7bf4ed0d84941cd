"""The main process of a worker: it registers, watches its child process, and reports crashes.

No photo is read here, and CUDA is never initialised.
"""
