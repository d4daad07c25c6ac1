"""Many trainings at once: each measured once and kept; tables of them."""
