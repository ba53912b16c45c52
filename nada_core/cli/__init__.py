"""Run the program from a command line: one file a command, and the flags they share."""
