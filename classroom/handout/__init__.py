"""The lab as it is handed out to a class: without solutions and answers, with variants, for GitHub and Gradescope."""
