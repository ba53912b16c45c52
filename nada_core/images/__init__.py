"""Read, write and arrange pictures: decoding, saving, sheets, films."""
