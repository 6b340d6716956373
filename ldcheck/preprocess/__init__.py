"""From `.lds.S` to script text: every configuration of a script, and the way back to the lines that people edit.

`run.preprocess` is the way in. `plan` says how a script is to be read, `varied` which symbols make it many, `walks` and
`explore` go through all of them, `texts` is what a compiler makes of each, and `configurations` says under which
condition something is so. It knows nothing of policies.
"""

from __future__ import annotations
