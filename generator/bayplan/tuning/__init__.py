"""Settings of applications: what follows a limit, and what is set already.

images     which application an image is
command    command lines: options set in them, and read out of them
recipes    what follows from a limit, in the form that each image reads
applied    a service's environment and lines with its recipe in them
sizes      amounts of memory as each application writes them
variables  what `.env` or a default says where a variable stands
settings   what can be set, in one word for all applications
reading    what a service sets, each value with its place
"""
