"""Take a photo and find whose face in it is meant: upload box, controls, the search for faces."""
