"""The folders of the server whose recordings may be transcribed without being uploaded.

In: paths that somebody names. Out: the recordings they stand for, each by its real path.
Not known here: jobs, what is in the files.

A path counts by where it really leads: a link that leads out of the folders is refused.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from asr.batch.sources import find_files
from calls.jobs.types import JobRefused, NewFile


class JobFolders:
    """What is allowed. All methods block."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(Path(os.path.realpath(root)) for root in roots)

    def holds(self, path: str) -> bool:
        """Whether a path leads to something in the folders now, and through no link."""
        real = os.path.realpath(path)
        return real == path and self._is_inside(Path(real))

    def find(self, names: Sequence[str], *, max_files: int) -> list[NewFile]:
        """The recordings that files and folders stand for, by name. Raises `JobRefused`."""
        if not self._roots:
            raise JobRefused(
                "没有开放服务器上的文件夹，请上传文件，或请管理员设置 ZHITING_JOB_FOLDERS。",
                code="job.no_folders",
            )
        for name in names:
            if not os.path.isabs(name) or not self._is_inside(Path(os.path.realpath(name))):
                raise JobRefused(
                    f"不允许读取 {name[:200]}，请选允许的文件夹里的文件。", code="job.path_outside"
                )
            if not Path(name).exists():
                raise JobRefused(f"没有找到 {name[:200]}。", code="job.path_missing")
        found = find_files(names).files
        if not found:
            raise JobRefused("没有找到录音文件。", code="job.no_files")
        if len(found) > max_files:
            raise JobRefused(
                f"共有 {len(found)} 个录音，一个任务最多 {max_files} 个，请分几次。",
                code="job.too_many_files",
            )
        return [self._new_file(one.path, one.name) for one in found]

    def _new_file(self, path: Path, name: str) -> NewFile:
        real = os.path.realpath(path)
        is_inside = self._is_inside(Path(real))
        return NewFile(
            name=name,
            path=real if is_inside else str(path),
            is_upload=False,
            n_bytes=os.path.getsize(real) if is_inside else 0,
            code=None if is_inside else "job.path_outside",
        )

    def _is_inside(self, real: Path) -> bool:
        return any(real == root or root in real.parents for root in self._roots)
