"""Check whether this machine works: `doctor` looks, `selfcheck` tries."""
