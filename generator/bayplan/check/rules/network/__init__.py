"""Network: who reaches whom, and by which address."""
