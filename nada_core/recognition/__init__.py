"""Recognise people by a network that gradients flow through: it may guide, and dlib's (:mod:`nada_core.alignment.faces`) judges."""
