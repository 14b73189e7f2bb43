"""CSV files of profiles or events: what encoding they have, their rows, what a row means, and running them in chunks.

The page and the command `import_profiles` make an `Import` and end in `runs.py`; a worker goes on with one that died.
"""
