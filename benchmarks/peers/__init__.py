"""What people would pick instead, each in a file that imports its own libraries."""
