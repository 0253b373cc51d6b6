"""From values to text: one module a target; `emit` is the only YAML writer, `tree` the only file writer."""
