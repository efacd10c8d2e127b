"""What is answered as JSON: each model writes itself, and is described at `/openapi.json`."""
