"""The desk of work orders: what stands behind the addresses, with clock, deadlines and directory.

In: wishes of persons. Out: orders, as they stand then.
Not known here: HTTP, who may see what.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from calls.orders.attachments import Attachments
from calls.orders.comparing import Alike, Comparer
from calls.orders.deadlines import Deadlines
from calls.orders.directory import Directory
from calls.orders.directory_file import FILE_NAME, DirectoryFile
from calls.orders.erasure import OrderEraser
from calls.orders.store import OrderStore
from calls.orders.suggesting import Suggestion, suggest
from calls.orders.transitions import edit, merge, move, see_content
from calls.orders.types import BadOrder, Comment, Deed, Order, OrderContent, Person, Wish
from calls.orders.vectors import OrderVectors
from calls.papers.types import Home
from calls.wrapup.draft import Lore
from calls.wrapup.topics import Embed
from knowledge_base.objects.types import Objects

LONGEST_COMMENT = 2_000
ATTACHMENTS = "attachments"
"""In the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDesk:
    """All methods block. Any thread may call them."""

    store: OrderStore
    deadlines: Deadlines
    directories: DirectoryFile
    attachments: Attachments
    comparer: Comparer
    eraser: OrderEraser
    embed: Embed
    lore: Callable[[], Lore | None]
    clock: Callable[[], datetime]

    @classmethod
    def open(
        cls,
        database: Engine,
        folder: Path,
        timezone: str,
        *,
        embed: Embed,
        model: str,
        lore: Callable[[], Lore | None],
        clock: Callable[[], datetime],
        objects: Objects | None = None,
        home: Home | None = None,
    ) -> "OrderDesk":
        """With directory and attachments in that folder, and the limits that come with the project.

        `model` names what `embed` embeds with; `lore` is what the knowledge base tells of matters.
        Servers share attachments by `objects`; `home` is where the directory is kept, if not in the folder
        alone.
        """
        vectors = OrderVectors(database, embed, model=model)
        attachments = Attachments(database, folder / ATTACHMENTS, objects)
        return cls(
            store=OrderStore(database),
            deadlines=Deadlines(zone=ZoneInfo(timezone)),
            directories=DirectoryFile(folder / FILE_NAME, home),
            attachments=attachments,
            comparer=Comparer(vectors, embed),
            eraser=OrderEraser(database, attachments),
            embed=embed,
            lore=lore,
            clock=clock,
        )

    @property
    def directory(self) -> Directory:
        """To whom orders go now."""
        return self.directories.now

    def is_department(self, unit_id: str) -> bool:
        """Whether orders can be dispatched there now."""
        return self.directory.may_handle(unit_id)

    def begin(
        self,
        content: OrderContent,
        person: Person,
        *,
        call_id: str | None,
        operator_id: str | None,
        is_only: bool = False,
    ) -> Order:
        """Begin an order, or with `is_only` take the one that its call has already. Raises `BadOrder`."""
        see_content(content, self.directory)
        now = self.clock()
        order = self.store.add(
            content,
            author=person.name,
            now=now,
            day=f"{now.astimezone(self.deadlines.zone):%Y%m%d}",
            call_id=call_id,
            operator_id=operator_id,
            is_only=is_only,
        )
        self.comparer.remember(order)
        return order

    def edit(self, order_id: str, content: OrderContent, person: Person, *, expected: int) -> Order:
        """Write down something else. Raises `OrderError`."""
        now = self.clock()
        order = self.store.change(
            order_id,
            lambda order: edit(order, content, person, now, directory=self.directory),
            expected=expected,
            action="edited",
            author=person.name,
        )
        self.comparer.remember(order)
        return order

    def move(self, order_id: str, wish: Wish, person: Person, *, expected: int) -> Order:
        """Do something with an order. Raises `OrderError`."""
        now = self.clock()
        if wish.deed is Deed.MERGE and wish.into is not None:
            return self.store.change_both(
                order_id,
                wish.into,
                lambda order, into: merge(order, into, wish, person, now),
                expected=expected,
                actions=("merge", "absorbed"),
                author=person.name,
                note=wish.note.strip(),
            )[0]
        return self.store.change(
            order_id,
            lambda order: move(order, wish, person, now, deadlines=self.deadlines, directory=self.directory),
            expected=expected,
            action=wish.deed.value,
            author=person.name,
            note=wish.note.strip(),
        )

    def comment(self, order_id: str, text: str, person: Person) -> Comment:
        """Say something about an order. Raises `OrderError`."""
        if not text.strip():
            raise BadOrder("请填写批注内容。", code="order.comment_empty")
        if len(text) > LONGEST_COMMENT:
            raise BadOrder(f"批注最多 {LONGEST_COMMENT} 字。", code="order.comment_too_long")
        return self.store.comment(order_id, text.strip(), author=person.name, now=self.clock())

    def alike(self, order: Order) -> Alike:
        """Earlier orders that may be about the same, and those of the same caller."""
        return self.comparer.alike(order)

    def departments(self, order: Order) -> tuple[Suggestion, ...]:
        """To which departments it may go, and why."""
        return suggest(
            order,
            directory=self.directory,
            lore=self.lore(),
            embed=self.embed,
            handled=self.comparer.handled_by(order, self.clock()),
        )
