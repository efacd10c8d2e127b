"""What docker-compose.yml needs beside it."""
