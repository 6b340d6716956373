"""Two scripts: what is placed differently, and what is proved the same."""
