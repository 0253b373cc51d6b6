"""AS-IS against TO-BE: typed changes, in stages, each with its reason, its cost and its undo."""
