"""Check the example as it was and as it was mended, and say what to try next. `make demo` runs this."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

WANTED = {"faulty": 1, "mended": 0}

NEXT = """\
Try next, from examples/demo with ../../.venv/bin in your PATH:

  ldcheck check faulty/hypervisor.lds --policy policy.yaml     the script alone, before anything is linked
  ldcheck check --policy policy.yaml --elf faulty/hypervisor.elf     the image alone
  diff faulty/hypervisor.lds mended/hypervisor.lds     the whole difference
  ldcheck diff faulty/hypervisor.map mended/hypervisor.map     what it moved in the image, and what that costs
  ldcheck rules     what a policy can say

Then your own script, with the policy that comes with ldcheck and knows nothing of your project:

  ldcheck check path/to/your.lds.S
"""


def main() -> int:
    """Run both variants. Exits 0 if the faulty one was refused and the mended one passed."""
    wrong = 0
    for variant, wanted in WANTED.items():
        arguments = ["check", f"{variant}/hypervisor.lds", "--policy", "policy.yaml"]
        arguments += ["--elf", f"{variant}/hypervisor.elf", "--map", f"{variant}/hypervisor.map"]
        print(f"$ cd examples/demo && ldcheck {' '.join(arguments)}\n", flush=True)
        status = subprocess.run([sys.executable, "-m", "ldcheck", *arguments], cwd=HERE, check=False).returncode
        print(f"\nexit status {status}\n", flush=True)
        wrong += status != wanted
    if wrong:
        print("This is not what the demo should show: the faulty variant exits with 1, the mended one with 0.")
        return 1
    print(NEXT, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
