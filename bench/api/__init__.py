"""How long the API's addresses take on a large database."""
