"""Many trainings at once: each measured once and kept, mean and spread over them, tables of them."""
