"""The guide as Jupyter notebooks: made from its chapters and the exercises, and what their cells can do."""
