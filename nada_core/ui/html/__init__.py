"""Write the page's words and small pieces of HTML."""
