"""Work that is done again and again."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from attrs import field, frozen

from core.errors import Invalid


@frozen(kw_only=True)
class PeriodicTask:
    """`run` is awaited `every` so often, and soon after a signal of a topic in `wakened_by`.

    It takes no input: it looks what there is to do, and does it; so a lost signal costs time, never work. It runs in
    one process at a time, the leader; with `everywhere` in each, because it looks after what the process itself holds.
    """

    name: str
    every: timedelta = field()
    run: Callable[[], Awaitable[object]]
    wakened_by: tuple[str, ...] = ()
    everywhere: bool = False

    @every.validator
    def _(self, _attribute: object, value: timedelta) -> None:
        if value <= timedelta(0):
            raise Invalid(f"the task {self.name} must have a positive period", field="every")
