"""Adapt Gradio: theme, CSS, JavaScript, patches of its faults, components that tabs share."""
