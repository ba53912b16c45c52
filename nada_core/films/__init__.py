"""Put styles on the people of a film: reading and writing with PyAV, faces followed from frame to frame, changes that do not flicker."""
