"""Photos from a URL, and results to one: `https://`, `s3://`, and what else fsspec's plug-ins know.

`addresses` lets no connection lead into the cluster or the worker's own network; `https` and `buckets` read; `fetch` brings an input
into the job's own folder, once; `upload` publishes a result. A URL that a person wrote is not trusted, and neither is
the server that answers it.

Not here: Redis, the attempt and its credentials' way, what a set of photos is.
"""
