"""The network and what runs it: knows no task and no page."""
