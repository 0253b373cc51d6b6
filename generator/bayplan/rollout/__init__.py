"""The hands: plans run on real nodes through Ansible, and what the nodes say comes back."""
