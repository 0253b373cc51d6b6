"""Claims of `expect:`: each is recomputed, once, and says what is wrong with it."""
