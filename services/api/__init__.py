"""The HTTP side: reads MongoDB for people and programs, and publishes only what a person submits."""
