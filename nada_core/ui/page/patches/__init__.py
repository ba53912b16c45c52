"""Change what Gradio (6.31) does where its settings do not reach. One module or script each: why, and when it can be removed."""
