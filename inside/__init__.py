"""What a network is and does: its layers counted, its slices drawn."""
