"""Keep and use what an adaptation makes, a style: its file, the library, mixing, publishing, conversion."""
