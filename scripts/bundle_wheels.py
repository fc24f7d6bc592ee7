"""Gathers the wheels that a machine needs to run the project, through pip, for this platform or another one.

In: the project's own wheel, the versions to keep to, a platform. Out: wheels, and what there is none for.
Not known here: what else is in a bundle.

One package after the other, until nothing that a wheel asks for is absent: pip itself would judge conditions
such as `platform_machine == "aarch64"` by the machine on which it runs, and would stop at the first package
without a wheel. What comes as source is built here, and taken for another platform only if it fits all.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

MACHINES = {
    "x86_64": (
        "manylinux_2_28_x86_64",
        "manylinux_2_27_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    ),
    "aarch64": (
        "manylinux_2_28_aarch64",
        "manylinux_2_27_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    ),
}
"""Tags of glibc 2.28 (Debian 10, RHEL 8, openEuler 20.03, Kylin V10 SP2 and later) and before."""


class PipFailed(Exception):
    """What pip was asked for did not come; the last lines of what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """For whom wheels are gathered."""

    machine: str
    python: str

    @classmethod
    def here(cls) -> "Platform":
        """The machine and the Python that run this."""
        given = default_environment()
        return cls(machine=given["platform_machine"], python=given["python_version"])

    @property
    def is_here(self) -> bool:
        """Whether it is those."""
        return self == self.here()

    def environment(self) -> dict[str, str]:
        """What conditions of requirements are judged by."""
        here = {key: str(value) for key, value in default_environment().items()}
        if self.is_here:
            return here
        return here | {
            "platform_machine": self.machine,
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
        }

    def options(self) -> list[str]:
        """The same for pip; this machine's own tags are pip's to know."""
        if self.is_here:
            return []
        tags = [option for tag in MACHINES[self.machine] for option in ("--platform", tag)]
        return [*tags, "--python-version", self.python, "--implementation", "cp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One wheel, read."""

    path: Path
    name: str
    version: str
    requires: tuple[Requirement, ...]
    unpacked_bytes: int


def installed_versions() -> dict[str, str]:
    """Name and version of all that is installed here: what the project was tried with."""
    return {canonicalize_name(one.metadata["Name"]): one.version for one in distributions()}


def read_wheel(path: Path) -> Wheel:
    """Name, version and requirements, out of the wheel itself."""
    with zipfile.ZipFile(path) as archive:
        inner = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        told = HeaderParser().parsestr(archive.read(inner).decode("utf-8"))
        size = sum(one.file_size for one in archive.infolist())
    requires = tuple(Requirement(text) for text in told.get_all("Requires-Dist", []))
    return Wheel(
        path=path,
        name=canonicalize_name(told["Name"]),
        version=told["Version"],
        requires=requires,
        unpacked_bytes=size,
    )


def unmet(
    wheels: Mapping[str, Wheel], root: str, extras: frozenset[str], platform: Platform
) -> Iterator[Requirement]:
    """What `root` with its extras asks for, directly or not, and no wheel fulfils."""
    environment = platform.environment()
    open_, seen = [(root, extras)], set()
    while open_:
        name, wanted = open_.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for requirement in wheels[name].requires:
            marker = requirement.marker
            if marker and not any(marker.evaluate(environment | {"extra": one}) for one in ("", *wanted)):
                continue
            there = wheels.get(canonicalize_name(requirement.name))
            if there is None or not requirement.specifier.contains(there.version, prereleases=True):
                yield requirement
            else:
                open_.append((there.name, frozenset(requirement.extras)))


def gather(
    own: Path,
    folder: Path,
    *,
    extras: frozenset[str],
    platform: Platform,
    versions: Mapping[str, str],
    pip_args: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, Wheel], dict[str, str]]:
    """Fill the folder; returns the wheels by name, and what there is no wheel for, with why.

    Args:
        own: the project's wheel; it lies in the folder already.
        folder: where wheels go.
        extras: of the project's optional dependencies.
        platform: for whom.
        versions: which version of a package to take, where it is known.
        pip_args: further options of pip, for its index for instance.
        tell: told in a sentence what takes time.
    """
    first = read_wheel(own)
    wheels, missing, tried = {first.name: first}, dict[str, str](), set[str]()
    while wanted := _specs(unmet(wheels, first.name, extras, platform), versions) - tried:
        tell(f"已有 {len(wheels)} 个，取 {len(wanted)} 个：{'、'.join(sorted(wanted))[:60]}…")
        tried |= wanted
        got, failed = fetch(sorted(wanted), folder, platform, pip_args)
        wheels |= {wheel.name: wheel for wheel in map(read_wheel, got)}
        missing |= failed
    for requirement in unmet(wheels, first.name, extras, platform):
        if not any(
            canonicalize_name(Requirement(spec).name) == canonicalize_name(requirement.name)
            for spec in missing
        ):
            missing[str(requirement)] = "no version fits all that ask for it"
    return wheels, missing


def fetch(
    specs: Sequence[str], folder: Path, platform: Platform, pip_args: tuple[str, ...] = ()
) -> tuple[list[Path], dict[str, str]]:
    """The wheels of these packages, without what they need; and what did not come, with why.

    All at once, as long as all come; where some do not, by halves.
    """
    try:
        return _fetch_together(specs, folder, platform, pip_args), {}
    except PipFailed as problem:
        if len(specs) > 1:
            half = len(specs) // 2
            left, no_left = fetch(specs[:half], folder, platform, pip_args)
            right, no_right = fetch(specs[half:], folder, platform, pip_args)
            return left + right, no_left | no_right
        return [], {specs[0]: str(problem)}


def _fetch_together(
    specs: Sequence[str], folder: Path, platform: Platform, pip_args: tuple[str, ...]
) -> list[Path]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        options = ("--quiet", "--no-deps", *pip_args)
        if platform.is_here:
            _pip("wheel", *options, "--wheel-dir", place, *specs)
        else:
            binary = ("download", *options, "--only-binary=:all:", "--dest", place)
            try:
                _pip(*binary, *platform.options(), *specs)
            except PipFailed:
                if len(specs) > 1:
                    raise
                _pip("wheel", *options, "--wheel-dir", place, *specs)
        found = list(Path(place).glob("*.whl"))
        if other := [one.name for one in found if not _is_for(one, platform)]:
            raise PipFailed(f"there is no wheel for {platform.machine}: {other[0]} was built here")
        return [one.rename(folder / one.name) for one in found]


def build_own(source: Path, folder: Path, pip_args: tuple[str, ...] = ()) -> Path:
    """The project's wheel out of its source folder. Raises `PipFailed`."""
    _pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), *pip_args, str(source))
    return next(folder.glob("zhiting-*.whl"))


def _specs(requirements: Iterable[Requirement], versions: Mapping[str, str]) -> set[str]:
    """What to ask pip for, once for each package: the version to keep to, or whatever fits all that ask."""
    ranges: dict[str, SpecifierSet] = {}
    for one in requirements:
        name = canonicalize_name(one.name)
        ranges[name] = ranges.get(name, SpecifierSet()) & one.specifier
    return {
        f"{name}=={known}"
        if (known := versions.get(name)) is not None and fits.contains(known, prereleases=True)
        else f"{name}{fits}"
        for name, fits in ranges.items()
    }


def _is_for(path: Path, platform: Platform) -> bool:
    if platform.is_here:
        return True
    tags = parse_wheel_filename(path.name)[3]
    return any(tag.platform == "any" or tag.platform in MACHINES[platform.machine] for tag in tags)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipFailed("\n".join(done.stderr.strip().splitlines()[-5:]))
