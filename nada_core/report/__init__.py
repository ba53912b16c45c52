"""The source project's experiment, repeated: eleven runs, one page, and for each of its findings whether it holds here.

``plan`` says what is run, ``faces`` and ``zones`` measure the pictures, ``store`` keeps results, ``run`` does the work, ``findings``
judges by stated rules, ``page`` and ``charts`` write the HTML, ``command`` is the command line.
"""
