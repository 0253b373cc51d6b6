"""Where each instance stands: proven to fit, or proven not to, with the cheapest way out.

constraints  what has to hold: policy lines, rules, bills and cards; a fleet becomes one problem
upfront      what contradicts itself before anything is solved
exact        the best placement, goal after goal; the only room that imports the solver, and late
conflict     irreducible sets of lines that cannot hold together, each with proven ways out
decide       the four in order; verify and why check and explain by arithmetic alone
"""

from bayplan.place.conflict.find import Conflict
from bayplan.place.conflict.remedy import Remedy
from bayplan.place.constraints.lines import PolicyLine
from bayplan.place.decide import Decision, decide, kept
from bayplan.place.verify import verify
from bayplan.place.why import why_not

__all__ = ["Conflict", "Decision", "PolicyLine", "Remedy", "decide", "kept", "verify", "why_not"]
