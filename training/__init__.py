"""Make what the program ships: train the starter's encoder and inverter, and make its ready styles."""
