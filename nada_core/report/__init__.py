"""Repeat the source project's experiment, eleven runs and StyleCLIP, and report on one page which of its findings hold here.

``plan`` says what is run, ``faces`` and ``zones`` measure the pictures, ``store`` and ``pictures`` keep results, ``run`` does the work,
``latent`` moves latents as StyleCLIP does, ``findings`` judges by stated rules, ``page`` and ``charts`` write the HTML, ``command`` is the
command line.
"""
