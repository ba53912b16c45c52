"""Edit photos of people: find and invert the face, fit a style to it, render it, and paste it back into the photo."""
