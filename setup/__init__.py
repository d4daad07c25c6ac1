"""What the lab needs of a machine, and whether it is there."""
