"""One training on several processes or machines: starting it, and recipes. What the session needs is in lvseg."""
