"""Read what a text means for a face (a look: colours, materials, marks, shape, as data), and draw looks on faces."""
