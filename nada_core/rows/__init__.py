"""Do many independent pieces of work, rows, one after another or on several workers, and keep what they made.

``row`` has the values, ``run`` does rows in this process, ``on_ray`` on the workers of a Ray cluster, ``table`` keeps results in a folder.
Nothing here knows what a row computes: the sweep, the report and the makers of styles bring that along.
"""
