"""What the script guarantees of each address, and what an image shows of the same expressions."""
