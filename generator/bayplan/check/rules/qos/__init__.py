"""Quality of service: what is called guaranteed, and what is."""
