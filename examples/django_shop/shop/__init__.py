"""The project: settings, the table of URLs, and the door by which a server calls it."""
