# Two images, `operator` and `worker`:
#
#   docker build --target operator -t reconstruction-operator .
#   docker build --target worker   -t reconstruction-worker   .
#
# Any Debian with python3 >= 3.11, its venv and pip can be the base. What changes with the code is the last, small layer of
# each; the dependencies above it are made anew only when their locked versions change.
ARG BASE_IMAGE=python:3.13-slim

# --- both images start here: a user without rights, and no folder of theirs but /tmp --------------------------------
FROM ${BASE_IMAGE} AS base
RUN groupadd --gid 10001 reconstruction \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin reconstruction
# Bytecode is made while building: the root file system is read-only later.
ENV PATH=/opt/reconstruction/bin:$PATH \
    HOME=/tmp \
    TMPDIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp

# --- for building only: uv, what the lock names for each image, and the wheel ---------------------------------------
FROM base AS tools
ARG UV=uv==0.13.9
ARG HATCHLING=hatchling==1.33.0
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --no-cache-dir --quiet "$UV" "$HATCHLING"

FROM tools AS locked
WORKDIR /src
COPY pyproject.toml uv.lock ./
COPY devtools/pyproject.toml devtools/
# Triton, 1 GB, compiles for torch.compile; nothing here calls that. Torch and CUDA, 4 GB, get a file and a layer of their
# own, so that no other package's new version makes them anew.
RUN mkdir /locked && cd /locked \
 && export="/opt/tools/bin/uv export --project /src --frozen --no-dev --no-emit-workspace --no-header --no-annotate --quiet" \
 && $export --extra operator --extra tracing --output-file operator.txt \
 && $export --extra worker --extra tracing --no-emit-package triton --output-file all.txt \
 && awk '/^[^ ]/ { cuda = /^(torch|nvidia-|cuda-)/ && !/^nvidia-ml-py/; file = cuda ? "cuda.txt" : "worker.txt" } { print > file }' all.txt \
 && rm all.txt

FROM tools AS wheel
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY crds crds
COPY operator operator
COPY worker worker
RUN /opt/tools/bin/python -m hatchling build --target wheel --directory /wheel

# The code alone, as it lies in each image: the other side's package and command are left out.
FROM tools AS code
COPY --from=wheel /wheel /wheel
RUN for side in operator worker; do \
      python3 -m venv --without-pip /opt/reconstruction \
      && /opt/tools/bin/uv pip install --quiet --no-deps --no-cache --compile-bytecode --link-mode copy \
           --python /opt/reconstruction/bin/python /wheel/*.whl \
      && case $side in operator) other=worker ;; worker) other=operator ;; esac \
      && site=$(echo /opt/reconstruction/lib/python3.*/site-packages) \
      && mkdir -p "/code/$side$site" "/code/$side/opt/reconstruction/bin" \
      && cp -a "$site/recon_api" "$site/recon_runtime" "$site/recon_$side" "$site"/reconstruction_operator-*.dist-info "/code/$side$site" \
      && cp -a "/opt/reconstruction/bin/reconstruction-$side" "/code/$side/opt/reconstruction/bin" \
      && rm -r /opt/reconstruction || exit 1; \
    done

# --- operator ---------------------------------------------------------------------------------------------------------
FROM tools AS operator-dependencies
COPY --from=locked /locked/operator.txt /locked/
# The Kubernetes client has a module for each of a thousand kinds, and loads the few that are used: the others' bytecode
# would be 50 MB.
RUN python3 -m venv --without-pip /opt/reconstruction \
 && /opt/tools/bin/uv pip install --quiet --no-deps --require-hashes --no-cache --link-mode copy \
      --python /opt/reconstruction/bin/python --requirements /locked/operator.txt \
 && /opt/reconstruction/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x '/kubernetes/(aio/)?client/(api|models)/' /opt/reconstruction/lib

FROM base AS operator
COPY --from=operator-dependencies /opt/reconstruction /opt/reconstruction
COPY --from=code /code/operator /
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["reconstruction-operator"]
LABEL org.opencontainers.image.title="reconstruction-operator" \
      org.opencontainers.image.description="Watches ReconstructionJobs, gives them to workers and writes their status." \
      org.opencontainers.image.licenses="Apache-2.0"

# --- worker -----------------------------------------------------------------------------------------------------------
FROM base AS worker
COPY --from=locked /locked/cuda.txt /opt/reconstruction/locked/
# In this stage, not copied from another: the gigabytes would lie on the builder's disk twice.
ARG UV=uv==0.13.9
RUN python3 -m venv /tmp/tools && /tmp/tools/bin/pip install --no-cache-dir --quiet "$UV" \
 && python3 -m venv --without-pip /opt/reconstruction \
 && /tmp/tools/bin/uv pip install --quiet --no-deps --require-hashes --no-cache --compile-bytecode \
      --python /opt/reconstruction/bin/python --requirements /opt/reconstruction/locked/cuda.txt \
 && rm -r /tmp/tools
COPY --from=locked /locked/worker.txt /opt/reconstruction/locked/
RUN python3 -m venv /tmp/tools && /tmp/tools/bin/pip install --no-cache-dir --quiet "$UV" \
 && /tmp/tools/bin/uv pip install --quiet --no-deps --require-hashes --no-cache \
      --python /opt/reconstruction/bin/python --requirements /opt/reconstruction/locked/worker.txt \
 && /opt/reconstruction/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x '/(torch|nvidia|cuda)/' /opt/reconstruction/lib \
 && rm -r /tmp/tools
COPY --from=code /code/worker /
USER 10001:10001
EXPOSE 8081
ENTRYPOINT ["reconstruction-worker"]
CMD ["worker"]
LABEL org.opencontainers.image.title="reconstruction-worker" \
      org.opencontainers.image.description="Turns photos into 3D models; takes its work from the operator." \
      org.opencontainers.image.licenses="Apache-2.0"

# --- for `skaffold dev`: the same images, on code that can be changed while they run ----------------------------------
FROM operator AS operator-live
COPY devtools/recon_dev/live.py /opt/live.py
ENTRYPOINT ["python3", "/opt/live.py", "reconstruction-operator"]

FROM worker AS worker-live
COPY devtools/recon_dev/live.py /opt/live.py
ENTRYPOINT ["python3", "/opt/live.py", "reconstruction-worker"]
CMD ["worker"]
