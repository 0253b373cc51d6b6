"""The nouns of bayplan: frozen values without I/O and without YAML."""
