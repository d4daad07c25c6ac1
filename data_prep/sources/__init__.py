"""Where slices come from: in each module `find` lists the slices of a folder, and `read` reads one of them."""
