"""What forms need of the directory: the department of a name, and the name of a department.

In: the directory. Out: identifiers and names. Not known here: forms, orders.
"""

from calls.orders.directory import Directory, UnitKind


def unit_of(directory: Directory, name: str) -> str | None:
    """The department of that name: the city's own, or the only one that is called so."""
    if not name:
        return None
    named = [
        unit
        for unit in directory.units.values()
        if unit.kind is not UnitKind.CENTRE and name in (unit.name, name_of(directory, unit.unit_id))
    ]
    centres = {unit.unit_id for unit in directory.of_kind(UnitKind.CENTRE)}
    own = [unit for unit in named if unit.parent_id in centres]
    found = own if len(own) == 1 else named
    return found[0].unit_id if len(found) == 1 else None


def name_of(directory: Directory, unit_id: str) -> str:
    """Its name; one of a district with the district's before it, where that does not say so itself."""
    *above, unit = directory.way_to(unit_id)
    district = next((each.name for each in above if each.kind is UnitKind.DISTRICT), "")
    return unit.name if not district or unit.name.startswith(district) else f"{district} {unit.name}"
