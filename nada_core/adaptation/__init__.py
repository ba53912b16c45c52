"""Train a generator's weights towards a prompt: the loop, its options, its state."""
