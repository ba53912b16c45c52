"""Have adaptations and photo work computed by workers of a Ray cluster: messages, the worker, the crew of them, a job's way through it."""
