"""The scraper: the text and the images of a web page."""
