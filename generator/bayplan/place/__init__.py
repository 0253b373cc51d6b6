"""Where each instance stands: proven to fit, or proven not to, with the cheapest way out.

build      a fleet as hard rules, demands and rooms            problem, rules, bill, cards, lines
upfront    what contradicts itself before anything is solved   contradictions, identity, sizes, quotas, taken
solve      the best placement, goal after goal                 board, cardboard, goals, seats
conflicts  irreducible sets of lines, each with remedies       shrink, remedies, amend
verify     a recorded decision against a fleet, by arithmetic  cardbook, why
"""

from bayplan.place.conflict.find import Conflict
from bayplan.place.conflict.remedy import Remedy
from bayplan.place.constraints.lines import PolicyLine
from bayplan.place.decide import Decision, decide
from bayplan.place.verify import verify
from bayplan.place.why import why_not

__all__ = ["Conflict", "Decision", "PolicyLine", "Remedy", "decide", "verify", "why_not"]
