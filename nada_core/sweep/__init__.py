"""Do a plan of many runs, prompts by seeds by options and photos by styles, as a table of jobs that can be stopped and gone on with.

``plan`` and ``options`` read the TOML file, ``jobs`` makes rows of it (:mod:`nada_core.rows`), ``work`` does one row with an engine,
``run`` does what is missing, ``page`` writes the sheet.
"""
