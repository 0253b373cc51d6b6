"""The border with the Compose Specification: any file in, one canonical form inside."""
