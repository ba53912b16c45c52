"""Work in several processes or on several machines, by way of Ray. Nothing here is imported unless it is asked for."""
