"""Judge by pixels (the gates): is an adapted picture what a person would call a Joker, a sketch, a blue face?

``regions`` says where cheeks, hair, lips and background are (from dlib's landmarks on the face before adaptation), ``measure`` turns a
before/after pair into numbers, ``concepts`` holds one row of checks a concept, ``sweep`` runs them. Nothing here knows how the encoder was
taught.
"""
