#!/usr/bin/env bash
# Check and time the worker's GPU code within eight minutes: benchmarks/gpu/run.sh [FOLDER] [--cpu] [--commit COMMIT]
# Python is PYTHON, else the checkout's environment, else python3. See benchmarks/README.md.
set -euo pipefail

checkout=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
python=${PYTHON:-$checkout/.venv/bin/python}
[[ -n ${PYTHON:-} || -x $python ]] || python=python3
# The checkout's own code comes first, whether it is installed or not.
export PYTHONPATH=$checkout:$checkout/worker:$checkout/crds:$checkout/devtools${PYTHONPATH:+:$PYTHONPATH}
export PYTHONUNBUFFERED=1

# The run keeps to its time by itself; this is for the case that it does not.
exec timeout --kill-after=15 480 "$python" -m benchmarks.gpu.run "$@"
