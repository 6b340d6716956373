#!/usr/bin/env bash
# The first step of the actions: ldcheck, from the very checkout that they came with, in an environment of its own.
set -euo pipefail

python=${INPUT_PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "::error title=ldcheck::ldcheck needs Python 3.11 or newer: put actions/setup-python in front, or give the input python"
  exit 2
fi
"$python" -m venv "$RUNNER_TEMP/ldcheck"
"$RUNNER_TEMP/ldcheck/bin/python" -m pip install --quiet --disable-pip-version-check "$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd)"
