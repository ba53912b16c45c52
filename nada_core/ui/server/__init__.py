"""Hold what one running app has: engine, world, jobs, blocked words."""
