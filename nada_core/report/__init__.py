"""The source project's experiment, repeated: eleven runs and StyleCLIP, one page, and for each of its findings whether it holds here.

``plan`` says what is run, ``faces`` and ``zones`` measure the pictures, ``store`` and ``pictures`` keep results, ``run`` does the work,
``latent`` moves latents as StyleCLIP does, ``findings`` judges by stated rules, ``page`` and ``charts`` write the HTML, ``command`` is the
command line.
"""
