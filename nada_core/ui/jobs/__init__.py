"""Run work that outlives its page: one worker, a line, a registry."""
