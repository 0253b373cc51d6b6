"""Changes as waves of steps: never more on a node than it may hold, and if that cannot be, the sum that says why."""

from bayplan.plan.order.order import order
from bayplan.plan.order.postpone import postpone
from bayplan.plan.order.proof import proof
from bayplan.plan.order.scene import Scene
from bayplan.plan.order.walk import Moment, walk

__all__ = ["Moment", "Scene", "order", "postpone", "proof", "walk"]
