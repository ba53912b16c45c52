"""Keep things for pages: photos, unsaved styles, thumbnails."""
