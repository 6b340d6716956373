"""From `.lds.S` to script text: every configuration of a script, and the way back to the lines that people edit.

`run.preprocess` is the way in. It knows nothing of policies.
"""

from __future__ import annotations
