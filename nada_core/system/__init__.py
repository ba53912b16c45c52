"""Deal with the machine: device, memory, files."""
