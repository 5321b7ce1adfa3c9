"""The tasks: requests, results and what lies between; no framework, no page."""
