"""A checkpoint made into another one: the folder, its refusals, its command."""
