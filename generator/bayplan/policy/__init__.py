"""The policy language: a folder of YAML files in, a fleet as it is and a fleet as it should be out."""
