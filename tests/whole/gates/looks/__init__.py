"""Judge looks that nobody wrote checks for: what a text asks for says what must be seen, and a second encoder must name it.

``python -m tests.whole.gates.looks --single 200 --mixed 60`` adapts each text, renders unseen faces and writes a table and a sheet.
"""
